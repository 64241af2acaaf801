import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Surroundings } from '../cli/command-world.ts'
import type { TaskWorld } from '../deps.ts'
import type { RunContext } from '../host/host.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import type { TaskSave } from '../task-cache/task-deps.ts'

/** Where archives of tasks wait for the post step, which removes it; the run's own temporary folder goes before that. */
export function keptFolder({ tempDir }: RunContext): string {
  return `${tempDir}-tasks`
}

/**
 * What tasks of a build need. Nothing of it is loaded before there are tasks: most builds have none.
 * @param saves fills with what the post step is to keep, where there is one
 */
export function openTaskWorld(store: StoreSetting, around: TaskRun, saves: TaskSave[]): TaskWorld {
  const { host, context, env, signal } = around
  const hasPostStep = around.hasPostStep === true
  const temporary = hasPostStep ? keptFolder(context) : join(context.tempDir, 'tasks')
  const saveLater = hasPostStep ? { saveLater: (save: TaskSave) => void saves.push(save) } : {}
  return {
    surroundings: async () => (await import('./task-surroundings.ts')).taskSurroundings(context, env),
    open: async () => {
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      const { openTaskDeps } = await import('./open-task-deps.ts')
      return openTaskDeps({ host, context, store, env, signal, temporary, ...saveLater })
    },
  }
}

type TaskRun = Pick<Surroundings, 'host' | 'context' | 'env' | 'signal' | 'hasPostStep'>
