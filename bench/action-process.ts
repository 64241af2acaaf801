import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ImageCacheError } from '../src/base/errors.ts'
import { SpawnExec } from '../src/exec/spawn-exec.ts'

const dist = resolve(import.meta.dirname, '../dist')

export interface ActionRun {
  readonly entry: 'main' | 'post'
  /** Inputs by name, as in a workflow's `with:`. */
  readonly inputs: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** For the files that the runner gives to an action; emptied first. */
  readonly folder: string
  readonly signal: AbortSignal
}

export interface ActionResult {
  /** From the start of the process to its end. */
  readonly seconds: number
  readonly outputs: ReadonlyMap<string, string>
  readonly state: ReadonlyMap<string, string>
  readonly exitCode: number | null
  /** What it printed. */
  readonly log: string
}

/** Runs a bundle as the runner does: a process of its own with inputs and files in its environment. */
export async function runAction(run: ActionRun): Promise<ActionResult> {
  const { entry, inputs, env, folder, signal } = run
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'temp'), { recursive: true })
  const file = (name: string): string => join(folder, name)
  for (const name of ['output', 'state', 'summary']) await writeFile(file(name), '')
  const runner = {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_OUTPUT: file('output'),
    GITHUB_STATE: file('state'),
    GITHUB_STEP_SUMMARY: file('summary'),
    GITHUB_WORKSPACE: folder,
    RUNNER_TEMP: file('temp'),
  }
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])
  const started = performance.now()
  const result = await new SpawnExec().run(process.execPath, [join(dist, entry, 'index.js')], {
    env: { ...runner, ...env, ...Object.fromEntries(given) },
    signal,
  })
  const seconds = (performance.now() - started) / 1000
  const [outputs, state] = await Promise.all(
    ['output', 'state'].map(async (name) => readCommandFile(await readFile(file(name), 'utf8'))),
  )
  return {
    seconds,
    outputs: outputs ?? new Map(),
    state: state ?? new Map(),
    exitCode: result.exitCode,
    log: `${result.stdout}${result.stderr}`,
  }
}

/** Reads what an action wrote for the runner: `name<<delimiter`, lines, `delimiter`; or `name=value`. */
export function readCommandFile(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(line) ?? []
    if (name !== undefined && delimiter !== undefined) {
      const end = lines.indexOf(delimiter, at + 1)
      if (end < 0) return values
      values.set(name, lines.slice(at + 1, end).join('\n'))
      at = end
    } else if (line.includes('=')) values.set(line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1))
  }
  return values
}

/** @throws ImageCacheError E_BUILD with its last lines when the action failed */
export function expectSuccess(result: ActionResult): ActionResult {
  if (result.exitCode === 0) return result
  throw new ImageCacheError('E_BUILD', `the action failed:\n${result.log.trim().split('\n').slice(-15).join('\n')}`)
}
