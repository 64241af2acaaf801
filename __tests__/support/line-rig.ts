import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import {
  type BaseImages,
  type BuildkitVersion,
  baseImages,
  countingProxy,
  patchBase,
  type ServiceSet,
  startServices,
} from '../../tools/services/service-set.ts'
import { type ActionOptions, type ActionResult, ActionRig } from './action-rig.ts'
import { type CacheService, startCacheService } from './cache-service.ts'
import type { OciLayer } from './oci-image.ts'
import { printedInside } from './printed-inside.ts'

type CountingProxy = Awaited<ReturnType<typeof countingProxy>>
type StandIn = NonNullable<NonNullable<Parameters<typeof countingProxy>[1]>['standIn']>
/** What went between the registry and everybody else. */
export type TrafficSnapshot = ReturnType<CountingProxy['snapshot']>

/** A job's main and post step, and the registry's traffic meanwhile. */
export interface JobRun extends ActionResult {
  readonly traffic: TrafficSnapshot
}

export interface CommandRun {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly traffic: TrafficSnapshot
}

export interface LineRigOptions {
  readonly buildkit?: BuildkitVersion
}

/** The action and the command line on real services: a registry behind a counting proxy, a builder, GitHub's cache. */
export class LineRig {
  readonly services: ServiceSet
  readonly images: BaseImages
  readonly cache: CacheService
  /** A checked-out repository, in which jobs and commands run. */
  readonly workspace: ActionRig
  /** Answers in the registry's place while it is set. */
  standIn: StandIn | undefined
  /** False takes buildx away from commands. */
  hasBuilder = true
  readonly #proxy: CountingProxy
  readonly #folder: string
  readonly #exec = new SpawnExec()

  private constructor(
    services: ServiceSet,
    images: BaseImages,
    cache: CacheService,
    workspace: ActionRig,
    folder: string,
    proxy: CountingProxy,
  ) {
    this.services = services
    this.images = images
    this.cache = cache
    this.workspace = workspace
    this.#folder = folder
    this.#proxy = proxy
  }

  static async create({ buildkit = 'v0.33.1' }: LineRigOptions = {}): Promise<LineRig> {
    const folder = await mkdtemp(join(tmpdir(), 'line-'))
    const services = await startServices({ stateDir: join(folder, 'state'), buildkit })
    const images = await baseImages(services.registry)
    let rig: LineRig | undefined
    const proxy = await countingProxy(services.registry, { standIn: (method, path) => rig?.standIn?.(method, path) })
    rig = new LineRig(services, images, await startCacheService(), await ActionRig.create(), folder, proxy)
    return rig
  }

  /** The registry's name in references, by which everything is counted. */
  get registry(): string {
    return this.#proxy.registry
  }

  /**
   * Inputs of a build that is pushed, with the local base images in the place of those from the network.
   * @param base repository and tag
   */
  inputs(
    tags: string,
    more: Readonly<Record<string, string>> = {},
    base = 'base/python:3.11-slim',
  ): Record<string, string> {
    return {
      tags: tags
        .split(',')
        .map((tag) => `${this.registry}/${tag}`)
        .join(','),
      push: 'true',
      'build-contexts': `python:3.11-slim=docker-image://${this.registry}/${base}`,
      'installer-image': `${this.registry}/base/uv:python{python}`,
      ...more,
    }
  }

  /**
   * Makes `base/hub:<patch>`, a base image as public registries have them: with gzip layers, and with none that the
   * installer image has, too. Only on such a base does BuildKit export dangling records into a cache in zstd.
   */
  async hubBase(patch: number): Promise<void> {
    const from = await patchBase(this.services.registry, patch)
    await writeFile(join(this.#folder, 'Dockerfile'), `FROM ${from}\n`)
    const output = `type=image,push=true,name=${this.registry}/base/hub:${patch},compression=gzip,force-compression=true`
    const run = await this.buildx('build', '--provenance=false', '--output', output, this.#folder)
    if (run.exitCode !== 0) throw new Error(run.stderr)
  }

  /** Runs the action as a job does. */
  async run(inputs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Promise<JobRun> {
    const step: ActionOptions = { inputs, env: { ...this.env(), ...this.cache.env(), ...env } }
    this.#proxy.reset()
    const main = await this.workspace.main(step)
    const traffic = this.#proxy.snapshot()
    const post = await this.workspace.post(main, step)
    return {
      ...main,
      stdout: `${main.stdout}${post.stdout}`,
      annotations: [...main.annotations, ...post.annotations],
      traffic,
    }
  }

  /** Builds upon an image and answers what a shell command printed in it. @throws Error when the command fails */
  async runInside(reference: string, command: string): Promise<string> {
    return await printedInside(reference, command, async (...args) => {
      const { exitCode, stderr } = await this.buildx('build', ...args)
      if (exitCode !== 0) throw new Error(stderr)
    })
  }

  /** Runs the command line in the workspace, with a store of this rig's own. */
  async command(...args: readonly string[]): Promise<CommandRun> {
    const cli = resolve(import.meta.dirname, '../../dist/cli/index.js')
    return await this.#counted(process.execPath, [cli, ...args])
  }

  /** Runs a program of JavaScript or TypeScript in the workspace, as it would run the command line. */
  async program(path: string): Promise<CommandRun> {
    return await this.#counted(process.execPath, [path])
  }

  /** Runs buildx alone on the same builder. */
  async buildx(...args: readonly string[]): Promise<CommandRun> {
    return await this.#counted('buildx', args)
  }

  async #counted(program: string, args: readonly string[]): Promise<CommandRun> {
    this.#proxy.reset()
    const env = { ...this.env(), XDG_CACHE_HOME: join(this.#folder, 'cache'), HOME: join(this.#folder, 'home') }
    const { exitCode, stdout, stderr } = await this.#exec.run(program, args, { cwd: this.workspace.workspace, env })
    return { exitCode, stdout, stderr, traffic: this.#proxy.snapshot() }
  }

  /** The environment in which buildx finds the builder; its PATH has buildx and what the runner's images surely have. */
  env(): Record<string, string> {
    const tools = this.hasBuilder ? `${join(this.services.stateDir, 'bin')}:` : ''
    return { ...this.services.env, PATH: `${tools}${this.workspace.bin}` }
  }

  async close(): Promise<void> {
    await Promise.all([this.workspace.close(), this.cache.close(), this.#proxy.stop(), this.services.stop()])
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Inputs of a rig as options of the command line. A text of several lines is an option for each. */
export function inputOptions(inputs: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(inputs).flatMap(([name, value]) =>
    ['push', 'force'].includes(name) ? [`--${name}`] : value.split('\n').map((line) => `--${name}=${line}`),
  )
}

/** Bytes of these layers that went from and to the registry. */
export function movedBytes(traffic: TrafficSnapshot, layers: readonly OciLayer[]): { pulled: number; pushed: number } {
  const moved = layers.map(({ digest }) => traffic.byBlob[digest])
  return {
    pulled: moved.reduce((sum, blob) => sum + (blob?.pulledBytes ?? 0), 0),
    pushed: moved.reduce((sum, blob) => sum + (blob?.pushedBytes ?? 0), 0),
  }
}
