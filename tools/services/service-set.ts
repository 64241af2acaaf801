import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type BuilderEnv,
  type BuildkitVersion,
  builderEnv,
  builderName,
  emptyBuilder,
  isBuilderRunning,
  startBuilder,
  stopBuilder,
} from './builder-daemon.ts'
import { stopCacheServiceDaemon } from './cache-service-daemon.ts'
import { withFileLock } from './file-lock.ts'
import { defaultStateDir } from './locations.ts'
import { removeRegistryStorage, runningRegistry, startRegistry, stopRegistry } from './registry-daemon.ts'
import { stopS3 } from './s3-daemon.ts'
import { ServiceError } from './service-error.ts'

export type { BaseImages } from './base-images.ts'
export { baseImages, patchBase } from './base-images.ts'
export type { BuilderEnv, BuildkitVersion } from './builder-daemon.ts'
export { countingProxy } from './counting-proxy.ts'
export { ensureTool } from './ensure-tool.ts'
export type { S3Server } from './s3-daemon.ts'
export { S3_BUCKET, s3Env, startS3, stopS3 } from './s3-daemon.ts'

/** Services that run from one state folder. */
export interface ServiceSet {
  /** `127.0.0.1:PORT`, plain HTTP; empty when no registry was asked for. */
  readonly registry: string
  /** The name of the buildx builder, found with `env`. */
  readonly builder: string
  /** To be added to the environment of whatever calls buildx; PATH is whole, with our `buildx` first. */
  readonly env: BuilderEnv
  readonly stateDir: string
  /** Takes everything away from the builder; it keeps its name and socket. */
  emptyBuilder(): Promise<void>
  /** Takes everything out of the registry, base images too (`baseImages` puts them back); it keeps its address. */
  emptyRegistry(): Promise<void>
  /** Stops this set's daemons and deletes what they stored; logs stay. */
  stop(): Promise<void>
}

export interface ServiceSetOptions {
  /** Sockets, storage and logs; two sets in different folders know nothing of each other. Default: `npm run services`'s. */
  readonly stateDir?: string
  readonly buildkit?: BuildkitVersion
  /** False starts the builder alone. */
  readonly registry?: boolean
  /** The registry's port if it is free, else another one. Default: any free port. */
  readonly registryPort?: number
  readonly log?: (line: string) => void
}

/**
 * Starts a registry and a builder from a state folder, or joins those that already run there. Needs root, since the
 * daemon mounts file systems; no Docker engine is needed. (With a working Docker engine nothing here is needed at all:
 * `docker buildx create --use --driver-opt network=host` gives a builder that does the same.)
 * @throws ServiceError, one sentence, when something is missing or doesn't start
 */
export async function startServices(options: ServiceSetOptions = {}): Promise<ServiceSet> {
  const stateDir = resolve(options.stateDir ?? defaultStateDir())
  const version = options.buildkit ?? 'v0.33.1'
  const log = options.log ?? (() => undefined)
  if (process.getuid?.() !== 0) {
    throw new ServiceError(
      'The services need root, since buildkitd mounts file systems: run the same command with sudo.',
    )
  }
  await mkdir(stateDir, { recursive: true })
  const port = options.registryPort ?? 0
  return await locked(stateDir, async () => {
    const registry = options.registry === false ? '' : await startRegistry({ stateDir, port, log })
    const plainRegistries = registry === '' ? [] : [registry, registry.replace('127.0.0.1', 'localhost')]
    const env = await startBuilder({ stateDir, version, plainRegistries, log })
    return {
      registry,
      builder: builderName(version),
      env,
      stateDir,
      emptyBuilder: () => locked(stateDir, () => emptyBuilder(stateDir, version)),
      emptyRegistry: () => locked(stateDir, () => emptyRegistry(stateDir)),
      stop: async () => {
        await stopServices(stateDir)
      },
    }
  })
}

/** Stops all that was started from a state folder; answers the names of what was running. */
export async function stopServices(stateDir: string = defaultStateDir()): Promise<readonly string[]> {
  return await locked(stateDir, async () => {
    const stopped: string[] = []
    for (const version of ['v0.33.1', 'v0.27.1'] as const) {
      if (await stopBuilder(stateDir, version)) stopped.push(`buildkitd ${version}`)
    }
    if (await stopRegistry(stateDir)) stopped.push('registry')
    if (await stopCacheServiceDaemon(stateDir)) stopped.push("GitHub's cache service")
    if (await stopS3(stateDir)) stopped.push('S3 server')
    await removeRegistryStorage(stateDir)
    for (const left of ['docker', 'bin', 'registry.yml'])
      await rm(join(stateDir, left), { recursive: true, force: true })
    return stopped
  })
}

/** What runs from a state folder. */
export interface ServicesStatus {
  readonly registry: string | undefined
  readonly builders: readonly {
    readonly version: BuildkitVersion
    readonly running: boolean
    readonly env: BuilderEnv
  }[]
}

export async function servicesStatus(stateDir: string = defaultStateDir()): Promise<ServicesStatus> {
  const versions: readonly BuildkitVersion[] = ['v0.33.1', 'v0.27.1']
  const builders = versions.map(async (version) => ({
    version,
    running: await isBuilderRunning(stateDir, version),
    env: builderEnv(stateDir, version),
  }))
  return { registry: await runningRegistry(stateDir), builders: await Promise.all(builders) }
}

async function emptyRegistry(stateDir: string): Promise<void> {
  await stopRegistry(stateDir)
  await removeRegistryStorage(stateDir)
  await startRegistry({ stateDir, port: 0, log: () => undefined })
}

function locked<T>(stateDir: string, work: () => Promise<T>): Promise<T> {
  return withFileLock(join(stateDir, 'lock'), work)
}
