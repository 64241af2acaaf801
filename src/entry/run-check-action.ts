import { rm } from 'node:fs/promises'
import { systemClock } from '../base/clock.ts'
import { checkImages } from '../check.ts'
import type { PendingSave } from '../deps.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import { type CheckedImage, checkNotes, checkOutputs } from '../flow/check-result.ts'
import { platformOutputs } from '../flow/platform-outputs.ts'
import { GithubHost, githubContext } from '../host/github-host.ts'
import { parseCheckInputs } from '../inputs/check-inputs.ts'
import { checkLines, renderCheckSummary } from '../report/check-report.ts'
import { openStore } from '../stores/open-store.ts'
import { cancellation } from './cancellation.ts'
import { failureOf, showFailure } from './failure.ts'
import { jobInput } from './job-input.ts'
import { loadAhead } from './load-ahead.ts'
import { openRegistry } from './open-registry.ts'
import { openTaskWorld } from './open-task-world.ts'
import { encodeSaves, SAVES_STATE } from './pending-saves.ts'

/** The check action: real dependencies, outputs, summary, and the one place where its errors are shown. */
export async function runCheckAction(): Promise<void> {
  const host = new GithubHost()
  const { env } = process
  const context = githubContext(env)
  try {
    const [exec, signal] = [new SpawnExec(), cancellation()]
    const inputs = parseCheckInputs(jobInput((name) => host.input(name), env, context))
    const { store } = openStore({ kind: inputs.build.store, env })
    const saves: PendingSave[] = []
    const images = await checkImages(inputs, {
      registry: openRegistry({ env, exec, signal, onWaiting: loadAhead(host, store) }),
      store,
      clock: systemClock,
      context,
      saveLater: (save) => saves.push(save),
      tasks: openTaskWorld(inputs.build.store, { host, context, env, signal }, []),
      ...{ exec, signal, env },
    })
    await host.ready()
    for (const [name, value] of checkOutputs(images)) host.output(name, value)
    for (const [name, value] of platformOutputs(images, inputs)) host.output(name, value)
    host.saveState(SAVES_STATE, encodeSaves(saves))
    await show(images, host)
  } catch (error) {
    await host.ready()
    showFailure(failureOf(error), host)
    process.exitCode = 1
  } finally {
    await rm(context.tempDir, { recursive: true, force: true })
  }
  // Idle connections of the registry client must not hold the process.
  process.exit()
}

async function show(images: readonly CheckedImage[], host: GithubHost): Promise<void> {
  for (const line of checkLines(images)) host.info(line)
  for (const note of checkNotes(images)) host.warning(note)
  await host.summary(renderCheckSummary(images))
}
