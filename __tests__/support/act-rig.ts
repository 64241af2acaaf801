import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { type ActLog, readActLog } from './act-log.ts'

export interface ActRunOptions {
  /** Path of the workflow in the repository, such as `.github/workflows/build.yml`. */
  readonly workflow: string
  /** `push` when not given. */
  readonly event?: string
  /** The event's payload; a pull request's needs `number` at the top. */
  readonly payload?: Readonly<Record<string, unknown>>
  /** Environment of every step, such as `cacheService.env()`; the runner's own variables win. */
  readonly env?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  /** More arguments for act. */
  readonly args?: readonly string[]
  /** Ends act and everything that it started. */
  readonly signal?: AbortSignal
}

export interface ActResult extends ActLog {
  readonly exitCode: number | null
}

/**
 * Runs workflows with act (v0.2.89) on this machine, without Docker, in a repository of its own. What act cannot do:
 * `services:`, `docker://` actions, the `cache-mode:` key, and `uses: ./` without `actions/checkout` before it, which
 * act replaces by a copy of the repository.
 */
export class ActRig {
  /** The repository that the workflows belong to. Each job works in a copy of it. */
  readonly repository: string
  readonly #act: string
  readonly #folder: string
  readonly #exec = new SpawnExec()

  private constructor(act: string, folder: string) {
    this.#act = act
    this.#folder = folder
    this.repository = join(folder, 'repository')
  }

  /** @param act path of act's binary, as `ensureTool('act')` answers it */
  static async create(act: string): Promise<ActRig> {
    const rig = new ActRig(act, await realpath(await mkdtemp(join(tmpdir(), 'act-rig-'))))
    await mkdir(rig.repository)
    await rig.#git('init', '--quiet', '--initial-branch=main')
    return rig
  }

  /** Writes a file of the repository. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.repository, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }

  /** Copies a file or a folder into the repository, under the same name when no other is given. */
  async copy(from: string, path: string): Promise<void> {
    await cp(from, join(this.repository, path), { recursive: true })
  }

  /** Commits what the repository holds, because runs have a commit, and runs a workflow to its end. */
  async run(options: ActRunOptions): Promise<ActResult> {
    await this.#git('add', '--all')
    await this.#git('commit', '--quiet', '--allow-empty', '--message=Change')
    const lines: string[] = []
    const onLine = (line: string) => void lines.push(line)
    const { exitCode } = await this.#exec.run(this.#act, await this.#arguments(options), {
      cwd: this.repository,
      env: this.#environment(),
      onStdoutLine: onLine,
      onStderrLine: onLine,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    return { exitCode, ...readActLog(lines) }
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #arguments(options: ActRunOptions): Promise<readonly string[]> {
    const { workflow, event = 'push', payload, env = {}, secrets = {}, args = [] } = options
    const eventFile = join(this.#folder, 'event.json')
    if (payload !== undefined) await writeFile(eventFile, JSON.stringify(payload))
    return [
      event,
      '--json',
      '--workflows',
      workflow,
      '--platform=ubuntu-latest=-self-hosted',
      '--no-cache-server',
      // Without it act asks for an address of the machine, which a machine with loopback only has not.
      '--artifact-server-addr=127.0.0.1',
      ...(payload === undefined ? [] : ['--eventpath', eventFile]),
      ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...Object.entries(secrets).flatMap(([name, value]) => ['--secret', `${name}=${value}`]),
      ...args,
    ]
  }

  /** Act's files go to a home of its own, and the `node` that it takes from the path is the one that runs the tests. */
  #environment(): Record<string, string> {
    const home = join(this.#folder, 'home')
    return {
      HOME: home,
      XDG_CACHE_HOME: join(home, '.cache'),
      XDG_CONFIG_HOME: join(home, '.config'),
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
    }
  }

  async #git(...args: readonly string[]): Promise<void> {
    const identity = ['-c', 'user.name=act-rig', '-c', 'user.email=act-rig@localhost', '-c', 'commit.gpgsign=false']
    const { exitCode, stderr } = await this.#exec.run('git', [...identity, ...args], { cwd: this.repository })
    if (exitCode !== 0) throw new Error(`git ${args[0]} failed: ${stderr}`)
  }
}
