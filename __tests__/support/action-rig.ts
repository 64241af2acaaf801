import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type CommandLine, readCommands, readFileCommands } from './workflow-commands.ts'

export interface ActionOptions {
  /** Inputs by their names in action.yml; the others get action.yml's defaults, as on GitHub. */
  readonly inputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** What a step of the action left behind. */
export interface ActionResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly outputs: ReadonlyMap<string, string>
  /** For the post step. */
  readonly state: ReadonlyMap<string, string>
  readonly summary: string
  /** Errors, warnings and notices, without escapes. */
  readonly annotations: readonly CommandLine[]
}

/** A step that runs. */
export interface RunningAction {
  readonly pid: number
  readonly result: Promise<ActionResult>
}

const ROOT = resolve(import.meta.dirname, '../..')
/** What the cache client calls; everything else must be put on the path by the test. */
const PROGRAMS = ['tar', 'gzip', 'zstd', 'zstdmt', 'unzstd', 'sh', 'sleep', 'cat', 'base64', 'sed', 'tr']

/**
 * Runs the bundles in `dist/` as the runner does: as child processes with files for outputs, state and summary, inputs
 * in the environment, and a PATH on which only a few programs are, so that nothing of this machine is found by chance.
 */
export class ActionRig {
  /** The checked-out repository. */
  readonly workspace: string
  /** `RUNNER_TEMP`. */
  readonly temp: string
  /** First and only folder on PATH. */
  readonly bin: string
  readonly #folder: string
  #runs = 0

  private constructor(folder: string) {
    this.#folder = folder
    this.workspace = join(folder, 'workspace')
    this.temp = join(folder, 'temp')
    this.bin = join(folder, 'bin')
  }

  static async create(): Promise<ActionRig> {
    if (!existsSync(bundle('main'))) throw new Error('dist/ is missing: run "npm run build"')
    const rig = new ActionRig(await realpath(await mkdtemp(join(tmpdir(), 'action-rig-'))))
    for (const folder of [rig.workspace, rig.temp, rig.bin, join(rig.#folder, 'files')]) await mkdir(folder)
    for (const name of PROGRAMS) {
      const path = ['/usr/bin', '/bin'].map((place) => join(place, name)).find((place) => existsSync(place))
      if (path !== undefined) await symlink(path, join(rig.bin, name))
    }
    return rig
  }

  /** Writes a file of the workspace. */
  async write(path: string, text: string): Promise<void> {
    const file = join(this.workspace, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }

  /** Puts a shell script on the path, in place of a program that is not ours. */
  async stub(name: string, script: string): Promise<void> {
    await writeFile(join(this.bin, name), `#!/bin/sh\n${script}`)
    await chmod(join(this.bin, name), 0o755)
  }

  async main(options: ActionOptions = {}): Promise<ActionResult> {
    return await this.start('main', options).result
  }

  async check(options: ActionOptions = {}): Promise<ActionResult> {
    return await this.start('check', options).result
  }

  /** The main step of the task action. */
  async task(options: ActionOptions = {}): Promise<ActionResult> {
    return await this.start('task', options).result
  }

  /** @param before the result of the main step, whose state the runner passes on */
  async post(before: ActionResult, options: ActionOptions = {}): Promise<ActionResult> {
    const state = Object.fromEntries([...before.state].map(([name, value]) => [`STATE_${name}`, value]))
    return await this.start('post', { ...options, env: { ...options.env, ...state } }).result
  }

  /** The merge action. */
  async merge(options: ActionOptions = {}): Promise<ActionResult> {
    return await this.start('merge', options).result
  }

  /** The main step of the bake action. */
  async bake(options: ActionOptions = {}): Promise<ActionResult> {
    return await this.start('bake', options).result
  }

  start(
    name: 'main' | 'post' | 'check' | 'task' | 'merge' | 'bake',
    { inputs = {}, env = {} }: ActionOptions = {},
  ): RunningAction {
    this.#runs += 1
    const action = name === 'main' || name === 'post' ? 'action.yml' : `${name}/action.yml`
    const file = (kind: string): string => join(this.#folder, 'files', `${kind}-${this.#runs}`)
    const files = { output: file('output'), state: file('state'), summary: file('summary') }
    const child = spawn(process.execPath, [bundle(name)], {
      cwd: this.workspace,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...this.#runnerEnv(files), ...inputEnv(inputs, action), ...env },
    })
    return { pid: child.pid ?? 0, result: finish(child, files) }
  }

  /** Names of what lies in the temporary folder now, besides what steps leave for later ones of the job. */
  async leftovers(): Promise<readonly string[]> {
    return (await readdir(this.temp)).filter((name) => name !== 'image-cache')
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  #runnerEnv(files: StepFiles): Record<string, string> {
    for (const path of Object.values(files)) writeFileSync(path, '')
    return {
      PATH: this.bin,
      HOME: join(this.#folder, 'home'),
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: files.output,
      GITHUB_STATE: files.state,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_REPOSITORY: 'team/app',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_RUN_ID: '1',
      RUNNER_TEMP: this.temp,
    }
  }
}

interface StepFiles {
  readonly output: string
  readonly state: string
  readonly summary: string
}

function bundle(name: string): string {
  return join(ROOT, 'dist', name, 'index.js')
}

/** GitHub makes upper case of names and keeps dashes; inputs that a workflow leaves out get the default. */
function inputEnv(given: Readonly<Record<string, string>>, action: string): Record<string, string> {
  const defaults = actionDefaults(action)
  for (const name of Object.keys(given)) if (!(name in defaults)) throw new Error(`${action} has no input ${name}`)
  const all = { ...defaults, ...given }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]))
}

function actionDefaults(path: string): Record<string, string> {
  const action: { inputs: Record<string, { default?: string }> } = parse(readFileSync(join(ROOT, path), 'utf8'))
  return Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? '']))
}

async function finish(child: ChildProcess, files: StepFiles): Promise<ActionResult> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
  const exitCode = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  const text = Buffer.concat(stdout).toString()
  return {
    exitCode,
    stdout: text,
    stderr: Buffer.concat(stderr).toString(),
    outputs: readFileCommands(await readFile(files.output, 'utf8')),
    state: readFileCommands(await readFile(files.state, 'utf8')),
    summary: await readFile(files.summary, 'utf8'),
    annotations: readCommands(text),
  }
}
