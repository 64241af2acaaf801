import { join } from 'node:path'
import { ActionsStore } from './actions-store.ts'
import { LocalStore } from './local-store.ts'
import { NoStore } from './no-store.ts'
import type { Store } from './store.ts'

/** `auto` takes GitHub's cache inside an action, the local folder anywhere else. */
export type StoreKind = 'auto' | 'actions' | 'local' | 'off'

export interface OpenStoreOptions {
  readonly kind: StoreKind
  /** The environment of the process, read by the entry. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the local store; by default `image-cache-action/store` in the user's cache folder. */
  readonly folder?: string
  /** Milliseconds that one call of a remote store may take. */
  readonly timeLimit?: number
}

/** A store, and why it is this one, as a sentence for the report. */
export interface OpenedStore {
  readonly store: Store
  readonly why: string
}

/** Chooses the store. A store that can't be had is no error: the answer is one that is never available. */
export function openStore(options: OpenStoreOptions): OpenedStore {
  if (options.kind === 'off') return noStore('the store is switched off')
  if (options.kind === 'local') return localStore(options, 'a local folder, as asked')
  const missing = missingForActions(options.env)
  if (missing === undefined) return actionsStore(options)
  if (options.kind === 'actions') return noStore(`no Actions cache here: ${missing}`)
  const inJob = options.env.GITHUB_ACTIONS === 'true'
  return localStore(
    options,
    inJob ? `a local folder, no Actions cache here: ${missing}` : 'a local folder, outside GitHub',
  )
}

function actionsStore({ env, timeLimit }: OpenStoreOptions): OpenedStore {
  const store = new ActionsStore({
    workspace: env.GITHUB_WORKSPACE ?? '',
    cacheMode: env.ACTIONS_CACHE_MODE ?? '',
    token: env.ACTIONS_RUNTIME_TOKEN ?? '',
    ...(timeLimit === undefined ? {} : { timeLimit }),
  })
  return { store, why: "GitHub's Actions cache" }
}

function localStore({ env, folder }: OpenStoreOptions, why: string): OpenedStore {
  const place = folder ?? defaultFolder(env)
  if (place === undefined) return noStore('no place for a local store: neither XDG_CACHE_HOME nor HOME is set')
  return { store: new LocalStore({ folder: place }), why: `${why}: ${place}` }
}

function noStore(reason: string): OpenedStore {
  return { store: new NoStore(reason), why: reason }
}

/** What an action's process has and a `run:` step has not. */
function missingForActions(env: OpenStoreOptions['env']): string | undefined {
  const address = env.ACTIONS_RESULTS_URL || env.ACTIONS_CACHE_URL
  if (!address) return 'ACTIONS_RESULTS_URL is not set'
  if (!env.ACTIONS_RUNTIME_TOKEN) return 'ACTIONS_RUNTIME_TOKEN is not set'
  return env.GITHUB_WORKSPACE ? undefined : 'GITHUB_WORKSPACE is not set'
}

function defaultFolder(env: OpenStoreOptions['env']): string | undefined {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'image-cache-action', 'store')
  return env.HOME ? join(env.HOME, '.cache', 'image-cache-action', 'store') : undefined
}
