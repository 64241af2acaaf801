import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { type ActionResult, ActionRig } from './action-rig.ts'
import { type CacheService, type CacheServiceOptions, startCacheService } from './cache-service.ts'
import { type RegistryFake, type RegistryFakeOptions, startRegistryFake } from './registry-fake.ts'

export interface SceneOptions {
  readonly registry?: RegistryFakeOptions
  readonly cache?: CacheServiceOptions
}

/** All that an action meets in a job, without a builder: a registry, GitHub's cache, a checked-out repository. */
export interface ActionScene {
  readonly rig: ActionRig
  readonly registry: RegistryFake
  readonly cache: CacheService
  /** Digest of an image that lies in `team/app` without a tag of its own. */
  readonly image: Digest
  /** `team/app` with its host. */
  readonly repository: string
  /** Inputs of a build that pushes `team/app:v1`. */
  inputs(more?: Readonly<Record<string, string>>): Record<string, string>
  /**
   * Puts a `buildx` on the path that answers as a builder would.
   * @param build shell lines of its `build`; `$metadata`, `$dockerfile` and `$secret` are the paths that it was given
   */
  builder(build?: string): Promise<void>
  /** Does what the builder's stub leaves out: the image is in its repository under the tag of its content. */
  pushed(run: ActionResult, repository?: string): void
  /** Takes back what builds have put: only the image without a tag of its own is left. */
  lost(): void
  /** How often the builder's `build` was called. */
  builds(): Promise<number>
  close(): Promise<void>
}

export async function createScene(options: SceneOptions = {}): Promise<ActionScene> {
  const rig = await ActionRig.create()
  const registry = await startRegistryFake(options.registry)
  const cache = await startCacheService(options.cache)
  const calls = join(rig.bin, 'build-calls')
  addImage(registry, 'base/python', '3.11', ['PYTHON_VERSION=3.11.2'])
  const image = addImage(registry, 'team/app', 'seed', [])
  const repository = `${registry.host}/team/app`
  const scene: ActionScene = {
    rig,
    registry,
    cache,
    image,
    repository,
    inputs: (more = {}) => ({ tags: `${repository}:v1`, push: 'true', ...more }),
    builder: (build = `printf '{"containerimage.digest":"${image}"}' > "$metadata"`) =>
      rig.stub('buildx', stubBuildx(calls, build)),
    pushed: ({ outputs }, path = 'team/app') => {
      const key = outputs.get('content-key') ?? ''
      if (!isDigest(key)) throw new Error('there is no content key')
      registry.addManifest(path, contentTag(key), OCI_MANIFEST, registry.manifest('team/app', 'seed'))
    },
    lost: () => {
      registry.lose('team/app', 'seed')
      registry.lose('team/other')
    },
    builds: async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').length - 1,
    close: async () => {
      await Promise.all([rig.close(), registry.close(), cache.close()])
    },
  }
  await rig.write('Dockerfile', `FROM ${registry.host}/base/python:3.11\nCOPY app.py /app.py\n`)
  await rig.write('app.py', 'print("hello")\n')
  return scene
}

/** Waits until a condition holds. @throws Error after 20 s */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 400; n += 1) {
    if (await condition()) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error('it did not come to pass within 20 s')
}

function addImage(registry: RegistryFake, repository: string, tag: string, env: readonly string[]): Digest {
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: env },
    rootfs: { type: 'layers', diff_ids: [] },
  }
  const blob = registry.addBlob(repository, JSON.stringify(config))
  return registry.addManifest(repository, tag, OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob },
    layers: [],
  })
}

function stubBuildx(calls: string, build: string): string {
  return `case "$1" in
version) echo 'github.com/docker/buildx v0.33.0' ;;
inspect) printf 'Name: stub\\nDriver: remote\\nBuildKit version: v0.33.1\\nPlatforms: linux/amd64\\n' ;;
build)
  # The call for the cache makes no image.
  case "$*" in *type=cacheonly*) exit 0 ;; esac
  echo build >> '${calls}'
  while [ $# -gt 0 ]; do
    case "$1" in
    --metadata-file) metadata=$2 ;;
    --file) dockerfile=$2 ;;
    --secret) secret=\${2#*src=} ;;
    esac
    shift
  done
${build}
  ;;
esac
`
}
