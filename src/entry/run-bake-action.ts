import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BakedTarget, bakeImages, TargetFailure } from '../bake.ts'
import { systemClock } from '../base/clock.ts'
import type { PendingSave } from '../deps.ts'
import type { BakeBuild } from '../flow/bake-builds.ts'
import { bakeOutputs } from '../flow/bake-outputs.ts'
import { imageName } from '../flow/find-image.ts'
import { ReportDraft } from '../flow/report-draft.ts'
import { secretValues } from '../flow/secret-files.ts'
import { GithubHost, githubContext } from '../host/github-host.ts'
import { parseBakeInputs } from '../inputs/bake-inputs.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import type { Store } from '../stores/store.ts'
import { cancellation } from './cancellation.ts'
import { type Failure, failureOf, showFailure } from './failure.ts'
import { inputRows } from './input-rows.ts'
import { openDeps } from './open-deps.ts'
import { encodeSaves, PENDING_STATE, SAVES_STATE } from './pending-saves.ts'
import { showReport } from './show-report.ts'

/** The bake action's main step: every target through the build action's line, and the outputs of all together. */
export async function runBakeAction(): Promise<void> {
  const host = new GithubHost()
  const context = githubContext(process.env)
  const around = { host, context, env: process.env, signal: cancellation(), hasPostStep: true }
  const saves: PendingSave[] = []
  const stores: Store[] = []
  const done: BakedTarget[] = []
  let wantsSummary = true
  try {
    const inputs = parseBakeInputs((name) => host.input(name))
    const open = (build: BakeBuild) => {
      for (const value of secretValues(build.inputs.secrets, process.env)) host.addSecret(value)
      const own = { ...context, tempDir: join(context.tempDir, 'targets', build.name) }
      const opened = openDeps(build.inputs, { ...around, context: own })
      const rows = [['bake target', build.name] as const, ...inputRows(build.read)]
      const report = new ReportDraft(imageName(build.inputs), rows, systemClock.now(), systemClock)
      stores.push(opened.deps.store)
      const saveLater = (save: PendingSave): void => void saves.push(save)
      return { deps: { ...opened.deps, saveLater }, report }
    }
    const common = parseBuildInputs(inputs.shared)
    wantsSummary = common.summary
    const shared = openDeps(common, around)
    await bakeImages(inputs, shared.deps, open, async (target) => {
      done.push(target)
      await showReport(target.result.report, host, common.summary)
      if (target.result.complaint !== undefined) fail(target.name, failureOf(target.result.complaint), host)
    })
    await host.ready()
    for (const [name, value] of bakeOutputs(done)) host.output(name, value)
  } catch (error) {
    await host.ready()
    const failure = failureOf(error instanceof TargetFailure ? error.cause : error)
    if (error instanceof TargetFailure) {
      fail(error.target, failure, host)
      await showReport(error.report.finish(failure.outcome, failure.sentence, failure.hint), host, wantsSummary)
    } else showFailure(failure, host)
    process.exitCode = 1
  } finally {
    // What was built and pushed before another target failed is there all the same.
    host.saveState(SAVES_STATE, encodeSaves(saves))
    host.saveState(PENDING_STATE, JSON.stringify(stores.flatMap(({ pending = [] }) => pending)))
    await host.ready()
    await rm(context.tempDir, { recursive: true, force: true })
  }
  // Idle connections of the registry client must not hold the process.
  process.exit()
}

function fail(target: string, failure: Failure, host: GithubHost): void {
  process.exitCode = 1
  showFailure({ ...failure, sentence: `target ${target}: ${failure.sentence}` }, host)
}
