import { mkdir, rm } from 'node:fs/promises'
import { GithubHost, githubContext } from '../host/github-host.ts'
import { expectTask, parseTaskInputs } from '../inputs/task-inputs.ts'
import { taskLine, tasksSummary } from '../report/task-report.ts'
import { runTaskStep } from '../task.ts'
import type { TaskSave } from '../task-cache/task-deps.ts'
import { cancellation } from './cancellation.ts'
import { failureOf, showFailure } from './failure.ts'
import { openTaskDeps } from './open-task-deps.ts'
import { encodeTaskSaves, TASK_SAVES_STATE } from './task-saves.ts'
import { taskSurroundings } from './task-surroundings.ts'

/** The task action's main step: real dependencies, outputs, summary; its exit code is the task's. */
export async function runTaskAction(): Promise<void> {
  const host = await GithubHost.open()
  const context = githubContext(process.env)
  const signal = cancellation()
  try {
    const surroundings = await taskSurroundings(context, process.env)
    const inputs = expectTask(parseTaskInputs((name) => host.input(name), surroundings))
    const saves: TaskSave[] = []
    const saveLater = (save: TaskSave): void => void saves.push(save)
    // Archives wait in it for the post step, which removes it.
    await mkdir(context.tempDir, { recursive: true, mode: 0o700 })
    const { store } = inputs
    const deps = openTaskDeps({ host, context, store, env: process.env, signal, saveLater, temporary: context.tempDir })
    const step = await runTaskStep(inputs, { ...deps, log: taskLog(host) })
    for (const [name, value] of step.outputs) host.output(name, value)
    host.saveState(TASK_SAVES_STATE, await encodeTaskSaves(saves, context.tempDir, store))
    // Others may wait for what was kept at once.
    const troubles = (await deps.store.flush?.()) ?? []
    for (const warning of [...step.warnings, ...troubles]) host.warning(warning)
    host.info(taskLine(step.row))
    await host.summary(tasksSummary([step.row]))
    if (step.exitCode !== 0) host.error(`E_TASK: ${inputs.spec.name} ended with exit code ${step.exitCode}`)
    process.exitCode = step.exitCode
  } catch (error) {
    showFailure(failureOf(error), host)
    await rm(context.tempDir, { recursive: true, force: true })
    process.exitCode = 1
  }
  process.exit()
}

/**
 * A task that runs speaks to the runner as a `run:` step does: what it wants masked is masked. What is shown of an
 * earlier run, or said by the cache, commands nothing.
 */
function taskLog(host: GithubHost): (line: string) => void {
  let isKept = false
  return (line) => {
    isKept ||= /^image-cache: .*: (hit|waited), /.test(line)
    if (isKept || line.startsWith('image-cache: ')) host.info(line)
    else host.pass(line)
  }
}
