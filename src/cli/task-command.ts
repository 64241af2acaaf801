import { mkdir } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import type { TaskSurroundings } from '../inputs/task-inputs.ts'
import { expectTask, parseTaskInputs } from '../inputs/task-inputs.ts'
import { taskLine } from '../report/task-report.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import { runTaskStep } from '../task.ts'
import type { TaskDeps } from '../task-cache/task-deps.ts'
import type { CommandWorld } from './command-world.ts'
import { withTerminal } from './with-terminal.ts'

/** What a command about tasks gets to work with. */
export interface TaskCommandRun {
  readonly host: Host
  readonly surroundings: Required<TaskSurroundings>
  readonly open: (store: StoreSetting) => TaskDeps
}

/**
 * `image-cache task … -- command`: one task through the cache. What it prints goes to standard output, or with `json`
 * to standard error, and the result to standard output.
 * @param argv the command behind `--`; empty when there is a script in `run`
 * @returns the task's own exit code
 */
export function taskCommand(
  values: ReadonlyMap<string, string>,
  argv: readonly string[],
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  return runTaskCommand(values, world, async ({ host, surroundings, open }) => {
    const inputs = expectTask(parseTaskInputs((name) => values.get(name) ?? '', { ...surroundings, argv }))
    const out = json ? world.stderr : world.stdout
    const log = (line: string): void => void out.write(`${line}\n`)
    const { result, row, warnings, exitCode } = await runTaskStep(inputs, { ...open(inputs.store), log })
    for (const warning of warnings) host.warning(warning)
    host.info(taskLine(row))
    if (json) world.stdout.write(`${JSON.stringify({ name: inputs.spec.name, ...result }, null, 2)}\n`)
    return exitCode
  })
}

/** Opens what a command about tasks needs, shows errors, and removes temporary files. Answers the exit code. */
export async function runTaskCommand(
  values: ReadonlyMap<string, string>,
  world: CommandWorld,
  command: (run: TaskCommandRun) => Promise<number>,
): Promise<number> {
  return withTerminal(values, world, async (host, context) => {
    await mkdir(context.tempDir, { recursive: true, mode: 0o700 })
    const { env, signal } = world
    let opened: TaskDeps | undefined
    const open = (store: StoreSetting): TaskDeps => {
      opened = world.openTaskDeps({ host, context, store, env, signal, temporary: context.tempDir })
      return opened
    }
    const exitCode = await command({ host, surroundings: await world.taskSurroundings(context, env), open })
    for (const trouble of (await opened?.store.flush?.()) ?? []) host.warning(trouble)
    return exitCode
  })
}
