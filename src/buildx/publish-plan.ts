import { type CacheOption, withDefaults } from './cache-option.ts'

/** How image push and cache export stand to each other in time. */
export type PublishMode = 'native-parallel' | 'one-after-another' | 'push-only' | 'no-push'

/** Where results go, as data: the build only carries it out. */
export interface PublishPlan {
  readonly mode: PublishMode
  readonly reason: string
  readonly cacheFrom: readonly CacheOption[]
  readonly cacheTo: readonly CacheOption[]
}

export interface PublishQuestion {
  /** Whether the image is pushed to a registry. */
  readonly push: boolean
  /** Driver and BuildKit version of the builder. */
  readonly driver: string
  readonly buildkit: string | undefined
  /** `auto` makes a registry cache beside the image; a list is the user's own. */
  readonly cacheFrom: 'auto' | readonly CacheOption[]
  readonly cacheTo: 'auto' | readonly CacheOption[]
  /** `registry/path` of the first repository that is pushed to. */
  readonly repository: string | undefined
  /** Tells caches of platforms and targets of one repository apart; a legal part of a tag. */
  readonly scope: string
  readonly compression: string
}

/** BuildKit from this version on pushes the image while the cache is exported (moby/buildkit#6451). */
const PARALLEL_SINCE = [0, 28] as const

/**
 * Decides what is imported and exported and how. Since BuildKit 0.28 a failing cache export cancels the push in
 * flight, so every export gets `ignore-error` unless the user says otherwise: a cache must not harm the image.
 */
export function planPublish(question: PublishQuestion): PublishPlan {
  const cacheTo = exportsOf(question)
  return { ...modeOf(question, cacheTo), cacheFrom: importsOf(question), cacheTo }
}

function modeOf(question: PublishQuestion, cacheTo: readonly CacheOption[]): Pick<PublishPlan, 'mode' | 'reason'> {
  if (!question.push) return { mode: 'no-push', reason: 'nothing is pushed' }
  if (cacheTo.every((option) => option.type === 'inline'))
    return { mode: 'push-only', reason: 'no cache of its own is exported' }
  if (question.buildkit === undefined)
    return { mode: 'one-after-another', reason: 'the version of BuildKit is not known' }
  const version = `BuildKit ${question.buildkit}`
  return isAtLeast(question.buildkit, PARALLEL_SINCE)
    ? { mode: 'native-parallel', reason: `${version} pushes while it exports the cache` }
    : { mode: 'one-after-another', reason: `${version} exports the cache after the push` }
}

function importsOf(question: PublishQuestion): readonly CacheOption[] {
  if (question.cacheFrom !== 'auto') return question.cacheFrom
  const option = besideImage(question)
  return option === undefined ? [] : [option]
}

function exportsOf(question: PublishQuestion): readonly CacheOption[] {
  if (question.cacheTo !== 'auto') return question.cacheTo.map(withCare)
  const option = question.push && question.driver !== 'docker' ? besideImage(question) : undefined
  if (option === undefined) return []
  return [withCare(withDefaults(option, { mode: 'min', compression: question.compression }))]
}

function besideImage(question: PublishQuestion): CacheOption | undefined {
  if (question.repository === undefined) return undefined
  return { type: 'registry', attributes: new Map([['ref', `${question.repository}:cache-${question.scope}`]]) }
}

function withCare(option: CacheOption): CacheOption {
  if (option.type === 'inline') return option
  const pinned = { 'oci-mediatypes': 'true', 'image-manifest': 'true' }
  return withDefaults(option, { 'ignore-error': 'true', ...(option.type === 'registry' ? pinned : {}) })
}

/** Whether a version such as `0.33.1` is this one or newer. */
export function isAtLeast(version: string, least: readonly [number, number]): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined || minor === undefined) return false
  return Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1])
}
