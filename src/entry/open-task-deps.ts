import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import type { Host, RunContext } from '../host/host.ts'
import { openStore } from '../stores/open-store.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import type { TaskDeps, TaskSave } from '../task-cache/task-deps.ts'
import { isWithheld, secretsIn, taskEnv } from './task-environment.ts'

export interface OpenTaskDepsOptions {
  readonly host: Host
  readonly context: RunContext
  readonly store: StoreSetting
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Where entries go that a post step keeps; without it they are kept at once. */
  readonly saveLater?: (save: TaskSave) => void
  /** Folder for archives, which must be there; those that are kept later stay in it. */
  readonly temporary: string
}

/** The real outside world of tasks. */
export function openTaskDeps(options: OpenTaskDepsOptions): TaskDeps {
  const { host, context, env, signal, saveLater, temporary } = options
  const { store } = openStore({ kind: options.store, env })
  const statCacheFolder = cacheFolder(env)
  return {
    store,
    exec: new SpawnExec({ withheld: isWithheld }),
    clock: systemClock,
    env: taskEnv(env),
    secrets: secretsIn(env),
    signal,
    owner: context.runUrl === undefined ? `${hostname()} ${process.pid}` : `${context.runUrl} ${randomUUID()}`,
    log: (line) => host.info(line),
    root: context.workspace,
    temporary,
    origin: {
      ...(context.runUrl === undefined ? {} : { run: context.runUrl }),
      ...(context.commit === undefined ? {} : { commit: context.commit }),
    },
    ...(saveLater === undefined ? {} : { saveLater }),
    ...(statCacheFolder === undefined ? {} : { statCacheFolder }),
  }
}

function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const base = env.XDG_CACHE_HOME || (env.HOME ? join(env.HOME, '.cache') : undefined)
  return base === undefined ? undefined : join(base, 'image-cache-action', 'files')
}
