import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import { shellCommand } from './command-shell.ts'
import { taskEnvironment } from './input-parts.ts'
import { KeptLog } from './kept-log.ts'
import { parseStepValues } from './step-values.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'

/** What a task's own run gave. */
export interface TaskRun {
  readonly exitCode: number
  readonly values: Readonly<Record<string, string>>
  readonly log: readonly string[]
  readonly seconds: number
  /** Why a hit could not stand for this run, a sentence each. */
  readonly sideEffects: readonly string[]
  readonly warnings: readonly string[]
}

/** Files by which a step speaks to later steps. A hit gives back the values alone. */
const STEP_FILES = ['GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STATE'] as const

/**
 * Runs a task's command, shows what it prints and reads the values that it leaves.
 * @throws ImageCacheError E_BUILDER when the program isn't there, E_CANCELLED when the run is cancelled
 */
export async function runCommand(task: TaskSpec, deps: TaskDeps): Promise<TaskRun> {
  const folder = await mkdtemp(join(deps.temporary ?? tmpdir(), 'image-cache-task-'))
  try {
    const outputFile = join(folder, 'output')
    await writeFile(outputFile, '')
    const log = new KeptLog(deps.secrets ?? [])
    const show = (line: string): void => {
      log.add(line)
      deps.log(line)
    }
    const stepFiles = await sizesOf(deps.env)
    const [program, ...args] = await commandLine(task, folder)
    const start = deps.clock.now()
    const { exitCode, signal } = await deps.exec.run(program, args, {
      cwd: join(deps.root, task.workingDirectory),
      env: { ...taskEnvironment(task, deps), GITHUB_OUTPUT: outputFile },
      signal: deps.signal,
      onStdoutLine: show,
      onStderrLine: show,
    })
    const seconds = (deps.clock.now() - start) / 1000
    const { values, warnings } = declaredValues(await readFile(outputFile, 'utf8').catch(() => ''), task)
    const endings = signal === null ? [] : [`the task was ended by ${signal}`]
    return {
      exitCode: exitCode ?? 1,
      values,
      log: log.lines(),
      seconds,
      sideEffects: [...changesOf(stepFiles, await sizesOf(deps.env)), ...secretValues(values, log)],
      warnings: [...warnings, ...endings],
    }
  } finally {
    // What can't be removed is left behind: the task has done its work.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function commandLine({ run, shell }: TaskSpec, folder: string): Promise<readonly [string, ...string[]]> {
  if (typeof run !== 'string') {
    const [program, ...args] = run
    if (program === undefined) throw new ImageCacheError('E_INPUT', 'run is empty')
    return [program, ...args]
  }
  const command = shellCommand(shell)
  if (command === undefined) throw new ImageCacheError('E_INPUT', `shell: ${JSON.stringify(shell)} is not known`)
  const script = join(folder, `script${command.extension}`)
  await writeFile(script, run, { mode: 0o700 })
  const [program, ...args] = command.words
  return [program, ...args.map((word) => word.replaceAll('{0}', script))]
}

function declaredValues(
  text: string,
  { outputs }: TaskSpec,
): { readonly values: Readonly<Record<string, string>>; readonly warnings: readonly string[] } {
  const { values, unreadable } = parseStepValues(text)
  const declared = [...values].filter(([name]) => outputs.values.includes(name))
  const others = [...values.keys()].filter((name) => !outputs.values.includes(name))
  return {
    values: Object.fromEntries(declared),
    warnings: [
      ...others.map((name) => `the value ${name} is left out: it is not among the declared outputs`),
      ...unreadable.map(() => 'a line in $GITHUB_OUTPUT is neither name=value nor a closed block'),
    ],
  }
}

/** A masked value would be kept in plain. */
function secretValues(values: Readonly<Record<string, string>>, log: KeptLog): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => log.clean(value) !== value)
    .map(([name]) => `the value ${name} holds a secret`)
}

async function sizesOf(env: TaskDeps['env']): Promise<ReadonlyMap<string, number>> {
  const sizes = await Promise.all(
    STEP_FILES.map(async (name) => {
      const file = env[name]
      const content = file === undefined || file === '' ? undefined : await readFile(file).catch(() => undefined)
      return [name, content?.length ?? 0] as const
    }),
  )
  return new Map(sizes)
}

function changesOf(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...after]
    .filter(([name, size]) => before.get(name) !== size)
    .map(([name]) => `the task wrote to $${name}, which a hit would not do again`)
}
