import { join } from 'node:path'
import { parseDuration } from '../base/duration.ts'
import { ImageCacheError } from '../base/errors.ts'
import { ActionsStore } from './actions-store.ts'
import { type EntrySeal, openSeal, signedSeal } from './entry-seal.ts'
import { LayeredStore } from './layered-store.ts'
import { LocalStore } from './local-store.ts'
import { NoStore } from './no-store.ts'
import { S3Store } from './s3-store.ts'
import { ScopedStore } from './scoped-store.ts'
import type { Store, StoreKey } from './store.ts'
import type { LayeredSetting, S3Setting, StoreSetting } from './store-setting.ts'
import { readTrustContext } from './trust-context.ts'
import { type TrustScope, trustScope } from './trust-scope.ts'

export type { StoreKind, StoreSetting } from './store-setting.ts'

export interface OpenStoreOptions {
  readonly kind: StoreSetting
  /** The environment of the process, read by the entry. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the local store; by default `image-cache` in the user's cache folder. */
  readonly folder?: string
  /** Milliseconds that one call of a remote store may take. */
  readonly timeLimit?: number
  /** What the main step of this job kept in the local layer for later. */
  readonly pending?: readonly StoreKey[]
}

/** A store, and why it is this one, as a sentence for the report. */
export interface OpenedStore {
  readonly store: Store
  readonly why: string
}

/** What all parts of the choice need to know. */
interface Place extends OpenStoreOptions {
  readonly trust: TrustScope
  readonly seal: EntrySeal
}

/**
 * Chooses the store. A store that can't be had is no error: the answer is one that is never available.
 * @throws ImageCacheError E_INPUT when a variable that limits the local store can't be read
 */
export function openStore(options: OpenStoreOptions): OpenedStore {
  const trust = trustScope(readTrustContext(options.env))
  const place = { ...options, trust, seal: sealFor(options.env, trust) }
  const { kind } = options
  if (kind === 'off') return noStore('the store is switched off')
  if (kind === 'local') return localStore(place, 'a local folder, as asked')
  if (kind === 'auto') return autoStore(place)
  if (kind === 'actions') return actionsStore(place)
  return kind.kind === 's3' ? s3Store(place, kind) : layeredStore(place, kind)
}

function autoStore(place: Place): OpenedStore {
  const missing = missingForActions(place.env)
  if (missing === undefined) return actionsStore(place)
  const inJob = place.env.GITHUB_ACTIONS === 'true'
  return localStore(
    place,
    inJob ? `a local folder, no Actions cache here: ${missing}` : 'a local folder, outside GitHub',
  )
}

function actionsStore({ env, timeLimit, seal, trust }: Place): OpenedStore {
  const missing = missingForActions(env)
  if (missing !== undefined) return noStore(`no Actions cache here: ${missing}`)
  const store = new ActionsStore({
    workspace: env.GITHUB_WORKSPACE ?? '',
    cacheMode: env.ACTIONS_CACHE_MODE ?? '',
    token: env.ACTIONS_RUNTIME_TOKEN ?? '',
    seal,
    ...(timeLimit === undefined ? {} : { timeLimit }),
  })
  const why = "GitHub's Actions cache"
  // GitHub keeps scopes apart by itself. But what may be written nowhere can't be signed for any scope.
  if (seal === openSeal || 'scope' in trust.writes) return { store, why }
  return { store: new ScopedStore({ writes: trust.writes.refused, reads: [store] }), why }
}

function localStore({ env, folder, seal, trust }: Place, why: string): OpenedStore {
  if (env.IMAGE_CACHE_LOCAL === 'false') return noStore('the local store is switched off by IMAGE_CACHE_LOCAL')
  const place = folder ?? localFolder(env)
  if (place === undefined) return noStore('no place for a local store: neither XDG_CACHE_HOME nor HOME is set')
  const limits = localLimits(env)
  // A runner that stays sees runs of all kinds; a laptop sees one person's.
  const store =
    env.GITHUB_ACTIONS === 'true'
      ? scoped(trust, (scope) => new LocalStore({ folder: place, scope, seal, ...limits }))
      : new LocalStore({ folder: place, seal, ...limits })
  return { store, why: `${why}: ${place}` }
}

function s3Store({ timeLimit, seal, trust }: Place, setting: S3Setting): OpenedStore {
  const { bucket, prefix, endpoint, region, pathStyle } = setting
  const store = scoped(trust, (scope) => {
    const folder = prefix === '' ? scope : `${prefix}/${scope}`
    return new S3Store({
      bucket,
      folder,
      endpoint,
      region,
      pathStyle,
      seal,
      ...(timeLimit === undefined ? {} : { timeLimit }),
    })
  })
  return { store, why: `the bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}` }
}

function layeredStore(place: Place, { remote: setting }: LayeredSetting): OpenedStore {
  const remote = setting === 'actions' ? actionsStore(place) : s3Store(place, setting)
  const local = localStore(place, 'a local folder')
  // A side that can't be had must not stand in the way of the other.
  if (local.store instanceof NoStore) return { ...remote, why: `${remote.why}; ${local.why}` }
  if (remote.store instanceof NoStore) return { ...local, why: `${local.why}; ${remote.why}` }
  const store = new LayeredStore({
    local: local.store,
    remote: remote.store,
    pending: place.pending ?? [],
    ...(place.env.RUNNER_TEMP ? { tempDir: place.env.RUNNER_TEMP } : {}),
  })
  return { store, why: `${local.why}, in front of ${remote.why}` }
}

/** One store for each scope that the run may read, and writes only into its own. */
function scoped(trust: TrustScope, open: (scope: string) => Store): Store {
  const stores = new Map(trust.reads.map((scope) => [scope, open(scope)]))
  const writes =
    'scope' in trust.writes ? (stores.get(trust.writes.scope) ?? open(trust.writes.scope)) : trust.writes.refused
  return new ScopedStore({ writes, reads: [...stores.values()] })
}

/** With `IMAGE_CACHE_SIGNING_KEY`, entries are signed, and others are not believed. */
function sealFor(env: OpenStoreOptions['env'], { writes, reads }: TrustScope): EntrySeal {
  const secret = env.IMAGE_CACHE_SIGNING_KEY
  if (!secret) return openSeal
  return signedSeal({ secret, writes: 'scope' in writes ? writes.scope : 'nowhere', reads })
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

/** Folder of the local store; undefined when the environment names no place for it. */
export function localFolder(env: OpenStoreOptions['env']): string | undefined {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'image-cache')
  return env.HOME ? join(env.HOME, '.cache', 'image-cache') : undefined
}

/**
 * Limits of the local store: `IMAGE_CACHE_LOCAL_SIZE` (`500MB`, `10GB`) and `IMAGE_CACHE_LOCAL_AGE` (`12h`, `30d`).
 * @throws ImageCacheError E_INPUT
 */
export function localLimits(env: OpenStoreOptions['env']): { maxBytes?: number; maxAgeSeconds?: number } {
  const size = env.IMAGE_CACHE_LOCAL_SIZE ?? ''
  const age = env.IMAGE_CACHE_LOCAL_AGE ?? ''
  const [, amount, unit] = /^(\d{1,6})(MB|GB)$/.exec(size) ?? []
  const maxAgeSeconds = parseDuration(age)
  const mistakes = [
    ...(size !== '' && amount === undefined
      ? [`IMAGE_CACHE_LOCAL_SIZE: "${size}" is not a size such as 500MB, 10GB`]
      : []),
    ...(age !== '' && maxAgeSeconds === undefined
      ? [`IMAGE_CACHE_LOCAL_AGE: "${age}" is not a duration such as 12h, 30d`]
      : []),
  ]
  if (mistakes.length > 0) {
    throw new ImageCacheError('E_INPUT', mistakes.join('; '), {
      hint: 'The variables are described in docs/stores.md.',
    })
  }
  return {
    ...(amount === undefined ? {} : { maxBytes: Number(amount) * (unit === 'GB' ? 1e9 : 1e6) }),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  }
}
