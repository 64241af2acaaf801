import { existsSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { runningDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { ensureTool } from './ensure-tool.ts'
import { ensureDebianProgram } from './find-program.ts'
import { removeMountedTree } from './mounts.ts'
import { runProgram } from './run-program.ts'
import { ServiceError } from './service-error.ts'

export type BuildkitVersion = 'v0.33.1' | 'v0.27.1'

/** Variables that lead buildx (alone or as docker's plugin) to our builder and to nothing of the user's. */
export interface BuilderEnv extends Readonly<Record<string, string>> {
  readonly DOCKER_CONFIG: string
  readonly BUILDX_CONFIG: string
  readonly BUILDX_BUILDER: string
  readonly PATH: string
}

export interface BuilderOptions {
  readonly stateDir: string
  readonly version: BuildkitVersion
  /** Registries that speak plain HTTP, `host:port`. */
  readonly plainRegistries: readonly string[]
  readonly log: (line: string) => void
}

/** The name of the buildx builder on a daemon of this version. */
export function builderName(version: BuildkitVersion): string {
  return version === 'v0.33.1' ? 'image-cache' : `image-cache-${version.replaceAll('.', '-')}`
}

/** Starts the daemon unless it runs, and makes sure that buildx knows it as a builder. */
export async function startBuilder(options: BuilderOptions): Promise<BuilderEnv> {
  const { stateDir, version } = options
  const env = builderEnv(stateDir, version)
  await installBuildx(stateDir, env, options.log)
  if (!(await isBuilderRunning(stateDir, version))) {
    const runc = await ensureDebianProgram('runc', 'runs the build steps', options.log)
    await ensureTool(version === 'v0.33.1' ? 'buildkitd' : 'buildkitd-v0.27', options.log)
    await mkdir(stateDir, { recursive: true })
    await writeFile(configFile(stateDir, version), buildkitdConfig(options, runc))
    await startProcess(stateDir, version, options.log)
  }
  const builder = builderName(version)
  if (!existsSync(join(env.BUILDX_CONFIG, 'instances', builder))) {
    const args = ['create', '--name', builder, '--driver', 'remote', `unix://${socketFile(stateDir, version)}`]
    await runProgram('buildx', args, { env })
  }
  return env
}

/** True while the daemon of this version runs from this state folder. */
export async function isBuilderRunning(stateDir: string, version: BuildkitVersion): Promise<boolean> {
  return (await runningDaemon(stateDir, daemonName(version))) !== undefined
}

/** Gives the daemon an empty root: stops it, deletes all that it had, starts it again on the same socket. */
export async function emptyBuilder(stateDir: string, version: BuildkitVersion): Promise<void> {
  const root = rootFolder(stateDir, version)
  const trash = `${root}.old`
  await stopDaemon(stateDir, daemonName(version), 3000)
  await removeMountedTree(trash)
  await moveAway(root, trash)
  // Deleting gigabytes takes a while: the new daemon starts meanwhile, and both must be done before the next build.
  await Promise.all([startProcess(stateDir, version, () => undefined), removeMountedTree(trash)])
}

/** Stops the daemon and deletes its root; answers false when it wasn't running. */
export async function stopBuilder(stateDir: string, version: BuildkitVersion): Promise<boolean> {
  const stopped = await stopDaemon(stateDir, daemonName(version), 3000)
  await removeMountedTree(`${rootFolder(stateDir, version)}.old`)
  await removeMountedTree(rootFolder(stateDir, version))
  for (const file of [socketFile(stateDir, version), configFile(stateDir, version)]) await rm(file, { force: true })
  await rm(join(stateDir, 'docker', 'buildx', 'instances', builderName(version)), { force: true })
  return stopped
}

/** The variables for a builder of this version; pure, nothing is started. */
export function builderEnv(stateDir: string, version: BuildkitVersion): BuilderEnv {
  const docker = join(stateDir, 'docker')
  return {
    DOCKER_CONFIG: docker,
    BUILDX_CONFIG: join(docker, 'buildx'),
    BUILDX_BUILDER: builderName(version),
    PATH: `${join(stateDir, 'bin')}:${process.env.PATH ?? '/usr/bin:/bin'}`,
  }
}

async function startProcess(stateDir: string, version: BuildkitVersion, log: (line: string) => void): Promise<void> {
  const command = await ensureTool(version === 'v0.33.1' ? 'buildkitd' : 'buildkitd-v0.27', log)
  const socket = socketFile(stateDir, version)
  await rm(socket, { force: true })
  await startDaemon({
    name: daemonName(version),
    stateDir,
    command,
    args: ['--config', configFile(stateDir, version)],
    isReady: () => accepts(socket),
  })
}

async function installBuildx(stateDir: string, env: BuilderEnv, log: (line: string) => void): Promise<void> {
  const buildx = await ensureTool('buildx', log)
  const plugins = join(env.DOCKER_CONFIG, 'cli-plugins')
  const bin = join(stateDir, 'bin')
  for (const folder of [plugins, bin]) await mkdir(folder, { recursive: true })
  for (const link of [join(plugins, 'docker-buildx'), join(bin, 'buildx')]) {
    await rm(link, { force: true })
    await symlink(buildx, link)
  }
  const config = join(env.DOCKER_CONFIG, 'config.json')
  if (!existsSync(config)) await writeFile(config, '{}\n')
}

function buildkitdConfig(options: BuilderOptions, runc: string): string {
  const { stateDir, version } = options
  const socket = socketFile(stateDir, version)
  if (Buffer.byteLength(socket) > 100) {
    throw new ServiceError(`${socket} is too long a path for a socket: choose a shorter state folder.`)
  }
  const text = JSON.stringify
  return [
    `root = ${text(rootFolder(stateDir, version))}`,
    'insecure-entitlements = ["network.host"]',
    '[grpc]',
    `address = [${text(`unix://${socket}`)}]`,
    '[worker.oci]',
    'enabled = true',
    `binary = ${text(runc)}`,
    // Build steps reach the package index the way this machine does.
    'networkMode = "host"',
    '[worker.containerd]',
    'enabled = false',
    ...options.plainRegistries.flatMap((host) => [`[registry.${text(host)}]`, 'http = true', 'insecure = true']),
    '',
  ].join('\n')
}

function daemonName(version: BuildkitVersion): string {
  return `buildkitd-${version}`
}

function rootFolder(stateDir: string, version: BuildkitVersion): string {
  return join(stateDir, daemonName(version))
}

function socketFile(stateDir: string, version: BuildkitVersion): string {
  return join(stateDir, `${daemonName(version)}.sock`)
}

function configFile(stateDir: string, version: BuildkitVersion): string {
  return join(stateDir, `${daemonName(version)}.toml`)
}

async function moveAway(folder: string, target: string): Promise<void> {
  if (!existsSync(folder)) return
  try {
    await rename(folder, target)
  } catch {
    // A folder in which something is still mounted can't be moved.
    await removeMountedTree(folder)
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
    connection.once('error', () => resolve(false))
  })
}
