import { type CacheOption, withDefaults } from './cache-option.ts'

/** Who a run's own caches belong to, as parts of tags; empty is the default branch. */
export interface CacheOwners {
  /** `undefined`: this run writes none; `refused` says why. */
  readonly writes: string | undefined
  readonly refused: string | undefined
  /** The nearest first. */
  readonly reads: readonly string[]
}

/** What the caches of a build are made of. */
export interface CacheDefaults {
  readonly driver: string
  readonly push: boolean
  /** `auto` makes a registry cache beside the image; a list is the user's own. */
  readonly cacheFrom: 'auto' | readonly CacheOption[]
  readonly cacheTo: 'auto' | readonly CacheOption[]
  /** `registry/path` of the first repository that is pushed to. */
  readonly repository: string | undefined
  /** Tells caches of platforms and targets of one repository apart; a legal part of a tag. */
  readonly scope: string
  readonly owners: CacheOwners
  readonly compression: string
}

/** Exporters that take a compression (BuildKit 0.33; gha and azblob write gzip, s3 does before 0.34). */
const COMPRESSED: ReadonlySet<string> = new Set(['registry', 'local'])

/** Caches to read: the user's, or those beside the image that this run may believe. */
export function cacheImports(question: CacheDefaults): readonly CacheOption[] {
  const { cacheFrom, owners } = question
  if (cacheFrom !== 'auto') return cacheFrom.map((option) => withScope(option, question))
  return owners.reads.flatMap((owner) => besideImage(question, owner))
}

/** Caches to write. A cache must not harm the image: since BuildKit 0.28 a failing export would cancel the push. */
export function cacheExports(question: CacheDefaults): readonly CacheOption[] {
  const { cacheTo, owners, compression } = question
  if (cacheTo !== 'auto') return cacheTo.map((option) => withCare(withScope(option, question), compression))
  if (!question.push || question.driver === 'docker' || owners.writes === undefined) return []
  return besideImage(question, owners.writes).map((option) =>
    withCare(withDefaults(option, { mode: 'min' }), compression),
  )
}

/** What is known to break with these exports, one sentence each: it is better said before than found out. */
export function cacheCautions(exports: readonly CacheOption[]): readonly string[] {
  return [...new Set(exports.flatMap(({ type }) => CAUTIONS[type] ?? []))]
}

const CAUTIONS: Readonly<Record<string, string>> = {
  gha: "cache-to gha: GitHub's cache takes one layer at a time, always gzip, stops after 10 minutes and holds 10 GB; a registry cache beside the image has none of these limits",
  azblob: 'cache-to azblob: one layer at a time, always gzip, at most 5 minutes for each',
  s3: 'cache-to s3: layers are written as gzip before BuildKit 0.34',
  local: 'cache-to local: the folder only grows; remove it from time to time',
  inline: "cache-to inline: holds the image's own layers alone, and can't be tidied",
}

function besideImage({ repository, scope }: CacheDefaults, owner: string): readonly CacheOption[] {
  if (repository === undefined) return []
  const tag = `cache-${scope}${owner === '' ? '' : `-${owner}`}`
  return [{ type: 'registry', attributes: new Map([['ref', `${repository}:${tag}`]]) }]
}

/** GitHub's cache knows one scope for all builds of a repository unless told: the last one would overwrite the others. */
function withScope(option: CacheOption, { repository, scope }: CacheDefaults): CacheOption {
  if (option.type !== 'gha') return option
  const image = repository?.slice(repository.lastIndexOf('/') + 1) ?? 'image'
  return withDefaults(option, { scope: `${image}-${scope}` })
}

function withCare(option: CacheOption, compression: string): CacheOption {
  if (option.type === 'inline') return option
  const pinned = option.type === 'registry' ? { 'oci-mediatypes': 'true', 'image-manifest': 'true' } : {}
  const compressed = COMPRESSED.has(option.type) ? { compression } : {}
  return withDefaults(option, { ...compressed, 'ignore-error': 'true', ...pinned })
}
