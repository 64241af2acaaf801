import { systemClock } from '../base/clock.ts'
import type { Surroundings } from '../cli/command-world.ts'
import { createLiveProgress } from '../cli/live-progress.ts'
import type { Deps, MadeBuilder, PendingSave } from '../deps.ts'
import { loggedExec } from '../exec/logged-exec.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { openStore } from '../stores/open-store.ts'
import type { TaskSave } from '../task-cache/task-deps.ts'
import { LateExports } from './late-exports.ts'
import { loadAhead } from './load-ahead.ts'
import { BUILDERS_STATE, builderWorld, encodeBuilders } from './made-builders.ts'
import { openRegistry } from './open-registry.ts'
import { openTaskWorld } from './open-task-world.ts'

/** The real outside world. `saves` fills with what is to be kept once the run has gone well. */
export function openDeps(
  inputs: BuildInputs,
  around: Surroundings,
): {
  readonly deps: Deps
  readonly saves: readonly PendingSave[]
  readonly taskSaves: readonly TaskSave[]
  readonly made: readonly MadeBuilder[]
  readonly lateExports: LateExports
} {
  const { host, context, env, signal } = around
  const spawning = new SpawnExec()
  const exec = loggedExec(spawning, (line) => host.debug(line))
  const { store } = openStore({ kind: inputs.store, env })
  const saves: PendingSave[] = []
  const taskSaves: TaskSave[] = []
  const made: MadeBuilder[] = []
  const lateExports = new LateExports(spawning, `${context.tempDir}-export`)
  const deps: Deps = {
    host,
    context,
    exec,
    registry: openRegistry({ env, exec, signal, onWaiting: loadAhead(host, store) }),
    store,
    saveLater: (save) => saves.push(save),
    tasks: openTaskWorld(inputs.store, around, taskSaves),
    builders: builderWorld(made, env, (all) => host.saveState(BUILDERS_STATE, encodeBuilders(all))),
    lateExports: around.hasPostStep === true ? lateExports : undefined,
    clock: systemClock,
    display: createLiveProgress({
      writeLine: (line) => host.info(line),
      screen: around.screen,
      clock: systemClock,
      color: around.color ?? false,
      ...(around.hasPostStep === true
        ? { group: (title: string, lines: readonly string[]) => host.group(title, lines) }
        : {}),
    }),
    signal,
    env,
  }
  return { deps, saves, taskSaves, made, lateExports }
}
