import { randomUUID } from 'node:crypto'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import { openStore } from '../stores/open-store.ts'
import type { Store } from '../stores/store.ts'
import { TaskCache, type TaskDefaults } from '../task-cache/task-cache.ts'
import type { TaskDeps } from '../task-cache/task-deps.ts'

/** What a program may say of its task cache; all of it has a default. */
export interface TaskCacheOptions extends Partial<Omit<TaskDeps, 'store' | 'exec'>> {
  /** Where results are kept: GitHub's cache in an action, the local folder anywhere else. */
  readonly store?: Store
  /** Settings for all tasks. */
  readonly defaults?: TaskDefaults
}

/**
 * Opens the task cache of a program. Nothing is read or written before the first task.
 * @param options `root` is the current folder when not given, `log` shows nothing
 */
export function openTaskCache(options: TaskCacheOptions = {}): TaskCache {
  const { defaults, store, ...given } = options
  const env = given.env ?? process.env
  const cacheFolder = env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache')
  return new TaskCache(
    {
      root: process.cwd(),
      clock: systemClock,
      env,
      signal: new AbortController().signal,
      owner: `${hostname()} ${process.pid} ${randomUUID().slice(0, 8)}`,
      log: () => undefined,
      statCacheFolder: join(cacheFolder, 'image-cache-action', 'stats'),
      ...given,
      store: store ?? openStore({ kind: 'auto', env }).store,
      exec: new SpawnExec(),
    },
    defaults,
  )
}
