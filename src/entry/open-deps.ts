import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Surroundings } from '../cli/command-world.ts'
import { createLiveProgress } from '../cli/live-progress.ts'
import type { Deps, PendingSave, TaskWorld } from '../deps.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import type { RunContext } from '../host/host.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { openStore } from '../stores/open-store.ts'
import type { TaskSave } from '../task-cache/task-deps.ts'
import { openRegistry } from './open-registry.ts'
import { openTaskDeps } from './open-task-deps.ts'
import { taskSurroundings } from './task-surroundings.ts'

/** The real outside world. `saves` fills with what is to be kept once the run has gone well. */
export function openDeps(
  inputs: BuildInputs,
  around: Surroundings,
): { readonly deps: Deps; readonly saves: readonly PendingSave[]; readonly taskSaves: readonly TaskSave[] } {
  const { host, context, env, signal } = around
  const exec = new SpawnExec()
  const saves: PendingSave[] = []
  const taskSaves: TaskSave[] = []
  const deps: Deps = {
    host,
    context,
    exec,
    registry: openRegistry({ env, exec, signal }),
    store: openStore({ kind: inputs.store, env }).store,
    saveLater: (save) => saves.push(save),
    tasks: taskWorld(inputs, around, taskSaves),
    clock: systemClock,
    display: createLiveProgress({
      writeLine: (line) => host.info(line),
      screen: around.screen,
      clock: systemClock,
      color: around.color ?? false,
    }),
    signal,
    env,
  }
  return { deps, saves, taskSaves }
}

/** Where archives of tasks wait for the post step, which removes it; the run's own temporary folder goes before that. */
export function keptFolder({ tempDir }: RunContext): string {
  return `${tempDir}-tasks`
}

function taskWorld(inputs: BuildInputs, around: Surroundings, saves: TaskSave[]): TaskWorld {
  const { host, context, env, signal } = around
  const hasPostStep = around.hasPostStep === true
  const temporary = hasPostStep ? keptFolder(context) : join(context.tempDir, 'tasks')
  const saveLater = hasPostStep ? { saveLater: (save: TaskSave) => void saves.push(save) } : {}
  return {
    surroundings: () => taskSurroundings(context, env),
    open: async () => {
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      return openTaskDeps({ host, context, store: inputs.store, env, signal, temporary, ...saveLater })
    },
  }
}
