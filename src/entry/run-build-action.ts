import { rm } from 'node:fs/promises'
import { systemClock } from '../base/clock.ts'
import { redact } from '../base/redact.ts'
import { imageName } from '../flow/find-image.ts'
import { ReportDraft } from '../flow/report-draft.ts'
import { secretValues } from '../flow/secret-files.ts'
import { GithubHost, githubContext } from '../host/github-host.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import { buildImage } from '../main.ts'
import type { BuildReport } from '../report/report.ts'
import { cancellation } from './cancellation.ts'
import { type Failure, failureOf, showFailure } from './failure.ts'
import { inputRows } from './input-rows.ts'
import { jobInput } from './job-input.ts'
import { EXPORTS_STATE } from './late-exports.ts'
import { openDeps } from './open-deps.ts'
import { keptFolder } from './open-task-world.ts'
import { encodeSaves, PENDING_STATE, SAVES_STATE } from './pending-saves.ts'
import { keepForJob, showReport } from './show-report.ts'
import { encodeTaskSaves, TASK_SAVES_STATE } from './task-saves.ts'

/** Milliseconds since 1970 at which this process began, so that loading the bundle counts, too. */
const STARTED_AT = systemClock.now() - process.uptime() * 1000

/** The build action's main step: real dependencies, outputs, summary, and the one place where its errors are shown. */
export async function runBuildAction(): Promise<void> {
  const host = new GithubHost()
  const context = githubContext(process.env)
  const signal = cancellation()
  let report: ReportDraft | undefined
  let wantsSummary = true
  let keepTasks = async (): Promise<void> => undefined
  let cancelExports = async (): Promise<void> => undefined
  try {
    const read = jobInput((name) => host.input(name), process.env, context)
    const inputs = parseBuildInputs(read)
    wantsSummary = inputs.summary
    for (const value of secretValues(inputs.secrets, process.env)) host.addSecret(value)
    report = new ReportDraft(imageName(inputs), inputRows(read), STARTED_AT, systemClock)
    const opened = openDeps(inputs, { host, context, env: process.env, signal, hasPostStep: true })
    const { deps, saves, taskSaves, lateExports } = opened
    cancelExports = () => lateExports.cancel()
    // What tasks made stays good when the build fails.
    keepTasks = async () =>
      host.saveState(TASK_SAVES_STATE, await encodeTaskSaves(taskSaves, keptFolder(context), inputs.store))
    const result = await buildImage(inputs, deps, report)
    await host.ready()
    for (const [name, value] of result.outputs) host.output(name, value)
    if (result.dockerfile !== undefined)
      host.output('dockerfile', await keepDockerfile(redact(result.dockerfile), host))
    host.saveState(SAVES_STATE, encodeSaves(saves))
    host.saveState(PENDING_STATE, JSON.stringify(deps.store.pending ?? []))
    host.saveState(EXPORTS_STATE, JSON.stringify(lateExports.running))
    await showReport(result.report, host, inputs.summary)
    if (result.complaint !== undefined) fail(failureOf(result.complaint), host)
  } catch (error) {
    await host.ready()
    await cancelExports()
    const failure = failureOf(error)
    fail(failure, host)
    if (report !== undefined) {
      const told = report.finish(failure.outcome, failure.sentence, failure.hint)
      for (const [name, value] of failedOutputs(told)) host.output(name, value)
      await showReport(told, host, wantsSummary)
    }
  } finally {
    await keepTasks()
    await rm(context.tempDir, { recursive: true, force: true })
  }
  // Idle connections of the registry client must not hold the process.
  process.exit()
}

/** The built Dockerfile outlives this step, so that later steps can read it. */
async function keepDockerfile(text: string, host: GithubHost): Promise<string> {
  const path = await keepForJob(`Dockerfile-${process.pid}`, text)
  host.group('The Dockerfile that was built', text.split('\n'))
  return path
}

/** What steps after a failure may want to know. Digest and image stay unset: there is none to go on with. */
function failedOutputs({ contentKey }: BuildReport): ReadonlyMap<string, string> {
  return new Map([...(contentKey === undefined ? [] : [['content-key', contentKey] as const]), ['skipped', 'false']])
}

function fail(failure: Failure, host: GithubHost): void {
  process.exitCode = 1
  showFailure(failure, host)
}
