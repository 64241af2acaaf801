import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import type { BuildReport } from '../../src/report/report.ts'
import {
  type BuildkitVersion,
  countingProxy,
  type ServiceSet,
  startServices,
} from '../../tools/services/service-set.ts'

type CountingProxy = Awaited<ReturnType<typeof countingProxy>>
export type StandIn = NonNullable<NonNullable<Parameters<typeof countingProxy>[1]>['standIn']>

export interface PublishRigOptions {
  readonly buildkit?: BuildkitVersion
  /** Bytes a second of each connection to the image's and to the cache's registry. */
  readonly imageSpeed?: number
  readonly cacheSpeed?: number
}

/** A run of `image-cache build`, from the sources. */
export interface PublishedRun {
  readonly exitCode: number | null
  readonly stderr: string
  readonly digest: string
  /** Milliseconds. */
  readonly took: number
  readonly report: BuildReport
}

/** A builder and one registry under two names, each with a link and faults of its own: one for images, one for caches. */
export class PublishRig {
  readonly services: ServiceSet
  readonly workspace: string
  readonly images: CountingProxy
  readonly caches: CountingProxy
  /** Answers in the registry's place while it is set. */
  imageFault: StandIn | undefined
  cacheFault: StandIn | undefined
  readonly #folder: string
  readonly #exec = new SpawnExec()

  private constructor(services: ServiceSet, folder: string, images: CountingProxy, caches: CountingProxy) {
    this.services = services
    this.#folder = folder
    this.workspace = join(folder, 'workspace')
    this.images = images
    this.caches = caches
  }

  static async create({ buildkit = 'v0.33.1', imageSpeed, cacheSpeed }: PublishRigOptions = {}): Promise<PublishRig> {
    const folder = await mkdtemp(join(tmpdir(), 'publish-'))
    await mkdir(join(folder, 'workspace'))
    const services = await startServices({ stateDir: join(folder, 'state'), buildkit })
    let rig: PublishRig | undefined
    const link = (speed: number | undefined, fault: () => StandIn | undefined): Promise<CountingProxy> =>
      countingProxy(services.registry, {
        ...(speed === undefined ? {} : { bytesPerSecond: speed }),
        standIn: (method, path) => fault()?.(method, path),
      })
    const images = await link(imageSpeed, () => rig?.imageFault)
    const caches = await link(cacheSpeed, () => rig?.cacheFault)
    rig = new PublishRig(services, folder, images, caches)
    return rig
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.workspace, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }

  /** An image of one layer that can't be compressed, new each time. */
  async writeImage(bytes: number): Promise<void> {
    await this.write('Dockerfile', 'FROM scratch\nCOPY data /data\n')
    await this.write('data', randomBytes(bytes))
  }

  /** Runs `image-cache build` with a store of this rig's own; flags are `'true'`. */
  async build(
    tags: string,
    inputs: Readonly<Record<string, string>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<PublishedRun> {
    const all = { tags: tags.replaceAll('$', this.images.registry), push: 'true', force: 'true', ...inputs }
    const options = Object.entries(all).flatMap(([name, value]) => {
      const text = value.replaceAll('$', this.caches.registry)
      return text === 'true' ? [`--${name}`] : text.split('\n').flatMap((line) => [`--${name}`, line])
    })
    const cli = resolve(import.meta.dirname, '../../src/entry/cli.ts')
    this.images.reset()
    this.caches.reset()
    const from = performance.now()
    const run = await this.#exec.run(process.execPath, [cli, 'build', '.', '--json', ...options], {
      cwd: this.workspace,
      env: { ...this.env(), ...env },
    })
    const took = performance.now() - from
    const { exitCode, stderr } = run
    const { report, digest } = exitCode === 0 ? JSON.parse(run.stdout) : { report: undefined, digest: '' }
    return { exitCode, stderr, digest, took, report }
  }

  async buildx(...args: readonly string[]): Promise<string> {
    const { exitCode, stderr } = await this.#exec.run('buildx', args, { cwd: this.workspace, env: this.env() })
    if (exitCode !== 0) throw new Error(stderr)
    return stderr
  }

  env(): Record<string, string> {
    const home = join(this.#folder, 'home')
    return { ...this.services.env, XDG_CACHE_HOME: join(this.#folder, 'cache'), HOME: home }
  }

  async close(): Promise<void> {
    await Promise.all([this.images.stop(), this.caches.stop(), this.services.stop()])
    await rm(this.#folder, { recursive: true, force: true })
  }
}
