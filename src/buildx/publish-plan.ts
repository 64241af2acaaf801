import { type CacheDefaults, cacheExports, cacheImports } from './cache-defaults.ts'
import type { CacheOption } from './cache-option.ts'
import { type LegForecast, linkSpeed, type PublishRecord, predictLegs, secondsPerByte } from './publish-history.ts'

/** What `publish` may ask for. */
export type PublishWish = 'auto' | 'parallel' | 'two-clients' | 'image-first' | 'post' | 'sequential'

/**
 * How image push and cache export stand to each other in time:
 * - `parallel`: one call, in which BuildKit does both at once
 * - `two-clients`: two calls on one daemon at once, which share every step
 * - `image-first`: the image's call, then a call that exports what it left on the builder
 * - `post`: two calls; the one for the cache ends after the job's other steps
 * - `sequential`: one call, in the builder's own order
 */
export type PublishMode = Exclude<PublishWish, 'auto'> | 'push-only' | 'no-push'

/** Where results go, as data: the build only carries it out. */
export interface PublishPlan {
  readonly mode: PublishMode
  /** Why it is this one, a part of a sentence. */
  readonly reason: string
  readonly cacheFrom: readonly CacheOption[]
  readonly cacheTo: readonly CacheOption[]
  /** What earlier runs of this mode let expect. */
  readonly predicted: LegForecast | undefined
}

export interface PublishQuestion extends CacheDefaults {
  readonly wish: PublishWish
  /** Whether the image is pushed to a registry. */
  readonly push: boolean
  /** Driver and BuildKit version of the builder. */
  readonly driver: string
  readonly buildkit: string | undefined
  /** `registry/path` of all repositories that are pushed to; a cache in one of them shares its blobs. */
  readonly repositories: readonly string[]
  /** Whether this run has a step after all others. */
  readonly hasPostStep: boolean
  /** What earlier runs on this builder measured, the newest last. */
  readonly history: readonly PublishRecord[]
}

type Choice = Pick<PublishPlan, 'mode' | 'reason'>

/** BuildKit from this version on pushes the image while the cache is exported (moby/buildkit#6451). */
export const PARALLEL_SINCE = [0, 28] as const
/** Bytes a second from which on sending a layer twice at once costs less than waiting. */
const FAST_LINK = 100e6
/** How much slower doing both at once may have been before it is given up. */
const TOLERANCE = 1.05

/**
 * Decides what is imported and exported and how. Two uploads of one blob into one repository don't know of each other:
 * beside the push, a cache in the image's own repository sends every new layer twice (measured on one shared link: 36.5 s
 * and 549 MB against 32.0 s and 395 MB). After the push it finds them there. So such a cache waits for the image unless
 * the link is known to be fast.
 */
export function planPublish(question: PublishQuestion): PublishPlan {
  const cacheTo = cacheExports(question)
  const choice = chooseMode(question, cacheTo)
  const predicted = predictLegs(question.history, choice.mode)
  return { ...choice, cacheFrom: cacheImports(question), cacheTo, predicted }
}

function chooseMode(question: PublishQuestion, cacheTo: readonly CacheOption[]): Choice {
  const { push, driver, wish } = question
  if (!push) return { mode: 'no-push', reason: 'nothing is pushed' }
  if (cacheTo.length === 0) {
    const unable = question.cacheTo === 'auto' && driver === 'docker'
    return { mode: 'push-only', reason: unable ? 'the docker driver exports no cache' : 'no cache is exported' }
  }
  if (cacheTo.every(({ type }) => type === 'inline'))
    return { mode: 'push-only', reason: 'the cache lies in the image itself' }
  return wish === 'auto' ? chooseFreely(question, cacheTo) : obey(wish, question)
}

function chooseFreely(question: PublishQuestion, cacheTo: readonly CacheOption[]): Choice {
  const { buildkit, history } = question
  const [together, ordered] = orders(buildkit)
  if (buildkit === undefined) return { mode: ordered, reason: 'the version of BuildKit is not known' }

  const [fast, slow] = [secondsPerByte(history, together), secondsPerByte(history, ordered)]
  if (fast !== undefined && slow !== undefined && fast > slow * TOLERANCE) {
    const percent = Math.round((fast / slow - 1) * 100)
    return { mode: ordered, reason: `earlier runs on this builder took ${percent} % longer with both at once` }
  }
  if (sharesRepository(question, cacheTo)) {
    const where = "the cache lies in the image's own repository"
    const speed = linkSpeed(history)
    if (speed === undefined) return { mode: ordered, reason: `${where}, and the speed of the link is not known yet` }
    const measured = `${Math.round(speed / 1e6)} MB/s measured`
    if (speed < FAST_LINK) return { mode: ordered, reason: `${where}: over this link (${measured}) layers go once` }
    return { mode: together, reason: `the link is fast (${measured})` }
  }
  if (together === 'parallel') return { mode: together, reason: `BuildKit ${buildkit} does both at once` }
  if (!sameCompression(question, cacheTo))
    return { mode: ordered, reason: 'image and cache are compressed differently, which two clients would mix' }
  return { mode: together, reason: `BuildKit ${buildkit} does one after the other, so each gets a client of its own` }
}

/** Carries out a wish as far as this builder and this run allow. */
function obey(wish: Exclude<PublishWish, 'auto'>, { buildkit, hasPostStep }: PublishQuestion): Choice {
  const asked = `publish: ${wish}`
  const [together, ordered] = orders(buildkit)
  const version = `BuildKit ${buildkit ?? 'of unknown version'}`
  if (wish === 'parallel' && together !== 'parallel')
    return { mode: 'two-clients', reason: `${asked}; ${version} needs two clients for it` }
  if (wish === 'sequential' && ordered !== 'sequential')
    return { mode: ordered, reason: `${asked}; in one call ${version} would do both at once` }
  if (wish === 'post' && !hasPostStep)
    return { mode: together, reason: `${asked}; there is no step after this one to finish it in` }
  return { mode: wish, reason: asked }
}

/** The ways to do both at once and one after the other. */
function orders(buildkit: string | undefined): readonly ['parallel' | 'two-clients', 'image-first' | 'sequential'] {
  const isNew = buildkit !== undefined && isAtLeast(buildkit, PARALLEL_SINCE)
  return isNew ? ['parallel', 'image-first'] : ['two-clients', 'sequential']
}

function sharesRepository({ repositories }: PublishQuestion, cacheTo: readonly CacheOption[]): boolean {
  return cacheTo.some(({ type, attributes }) => {
    const repository = (attributes.get('ref') ?? '').replace(/@.*$/, '').replace(/:[^:/]*$/, '')
    return type === 'registry' && repositories.includes(repository)
  })
}

/** Blobs are made once for both clients, in the compression of the one that came first. */
function sameCompression({ compression }: PublishQuestion, cacheTo: readonly CacheOption[]): boolean {
  return cacheTo.every(({ type, attributes }) => type === 'inline' || attributes.get('compression') === compression)
}

/** Whether a version such as `0.33.1` is this one or newer. */
export function isAtLeast(version: string, least: readonly [number, number]): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined || minor === undefined) return false
  return Number(major) > least[0] || (Number(major) === least[0] && Number(minor) >= least[1])
}
