import { ImageCacheError } from '../base/errors.ts'
import type { Deps } from '../deps.ts'
import { contentTag } from '../image/content-key.ts'
import { dockerChecker } from '../image-check/docker-checker.ts'
import { type CheckQuestion, checkImage, type ImageCheck, type ImageChecker } from '../image-check/image-check.ts'
import { recordChecker } from '../image-check/record-checker.ts'
import { registryChecker } from '../image-check/registry-checker.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository, type ImageReference, type RepositoryName } from '../registry/reference.ts'
import type { Content, UnknownContent } from './content.ts'

/** What the image check found, or why there was nothing to ask. */
export type ImageFinding = ImageCheck | { readonly kind: 'not-asked'; readonly reason: string }

/** What of the inputs the check depends on. */
export type CheckInputs = Pick<
  BuildInputs,
  | 'tags'
  | 'platforms'
  | 'push'
  | 'load'
  | 'outputs'
  | 'salt'
  | 'store'
  | 'check'
  | 'checkTtl'
  | 'checkNegativeTtl'
  | 'checkLocal'
  | 'force'
  | 'noCache'
  | 'builderOptions'
>

/** The outside world as far as a check needs it. */
export type CheckDeps = Pick<Deps, 'registry' | 'store' | 'exec' | 'clock' | 'signal'>

/** The repositories that the tags are in, each once, in the order of the tags. */
export function repositoriesOf({ tags }: Pick<BuildInputs, 'tags'>): readonly RepositoryName[] {
  const byName = new Map(tags.map(({ registry, path }) => [formatRepository({ registry, path }), { registry, path }]))
  return [...byName.values()]
}

/** The image's name for people: its first repository. */
export function imageName(inputs: Pick<BuildInputs, 'tags'>): string {
  const [first] = repositoriesOf(inputs)
  return first === undefined ? 'image without a name' : formatRepository(first)
}

/** What is asked about the image of a content: its content tag, in every repository that it is to be in. */
export function contentQuestion(
  inputs: Pick<BuildInputs, 'tags' | 'platforms' | 'salt'>,
  content: Content,
): CheckQuestion {
  const repositories = repositoriesOf(inputs)
  const { platforms, salt } = inputs
  const subject = { repositories: repositories.map(formatRepository), platforms, contentKey: content.key, salt }
  return { repositories, version: { tag: contentTag(content.key) }, platforms, subject }
}

/** Who is asked about an image in a registry, in this order. */
export function registryCheckers(
  inputs: Pick<BuildInputs, 'check' | 'checkTtl' | 'checkNegativeTtl' | 'store'>,
  deps: Pick<CheckDeps, 'store' | 'registry' | 'clock'>,
): readonly ImageChecker[] {
  const ttl = inputs.check === 'registry' || inputs.store === 'off' ? 0 : inputs.checkTtl
  const belief = { ttl, negativeTtl: inputs.checkNegativeTtl, now: deps.clock.now() }
  return [recordChecker(deps.store, belief), registryChecker(deps.registry)]
}

/**
 * Asks whether the image is there already, wherever it is to go: in its registries with `push`, in Docker with `load`.
 * Never throws for what can't be told.
 */
export async function findImage(
  inputs: CheckInputs,
  content: Content | UnknownContent,
  deps: CheckDeps,
): Promise<ImageFinding> {
  const reason = reasonNotToAsk(inputs)
  if (reason !== undefined) return { kind: 'not-asked', reason }
  if (content.kind === 'unknown') {
    const why = `the content can't be told: ${content.reason}`
    return { kind: 'unknown', reason: why, lastKnown: undefined, asked: [] }
  }
  const question = contentQuestion(inputs, content)
  const [first, ...others] = await Promise.all([
    ...(inputs.push ? [checkImage(question, registryCheckers(inputs, deps))] : []),
    ...(inputs.load ? [checkImage(question, [dockerChecker(deps.exec, deps.signal)])] : []),
  ])
  if (first === undefined) return { kind: 'not-asked', reason: 'the image goes nowhere' }
  return others.reduce(bothFound, first)
}

/** Why the user wants an image to be built whether it exists or not; undefined when nothing says so. */
export function reasonToBuild(
  inputs: Pick<BuildInputs, 'check' | 'force' | 'noCache' | 'builderOptions'>,
): string | undefined {
  if (inputs.check === 'off') return 'check: off'
  if (inputs.force) return 'force: true'
  if (inputs.noCache) return 'no-cache: true'
  return inputs.builderOptions.noCacheFilters.length > 0 ? 'no-cache-filters asks for a new build' : undefined
}

/** Why an image of these inputs isn't looked for; undefined when it is. */
export function reasonNotToAsk(inputs: CheckInputs): string | undefined {
  const anew = reasonToBuild(inputs)
  if (anew !== undefined) return anew
  if (inputs.outputs.length > 0) return 'the image goes to other places than registries, too'
  if (inputs.load && !inputs.checkLocal) return 'the image is loaded, and check-local is false'
  if (!inputs.push && !inputs.load) return 'nothing is pushed'
  return inputs.tags.length === 0 ? 'the image has no name' : undefined
}

/** An image that is to be in two places must be found in both. */
function bothFound(first: ImageCheck, second: ImageCheck): ImageCheck {
  const decisive = first.kind === 'found' ? second : first
  const asked = [...first.asked, ...second.asked]
  return decisive.kind === 'found' ? { ...first, asked } : { ...decisive, asked }
}

/** An image that needn't be built: found, or believed in because nobody can tell. */
export interface ExistingImage {
  readonly kind: 'found' | 'assumed'
  /** The image in each repository that has it, or is believed to. */
  readonly sources: readonly ImageReference[]
  readonly reason: string
  /** No record says so yet. */
  readonly isNews: boolean
  /** What the last full build of the image took, where a record tells. */
  readonly fullSeconds?: number | undefined
}

/**
 * What the check means for the run: an image to put tags on, or undefined when it must be built.
 * @throws ImageCacheError E_CHECK when nobody can tell and the user wants to stop then
 */
export function existingImage(
  inputs: Pick<BuildInputs, 'tags' | 'platforms' | 'salt' | 'checkUnknown'>,
  content: Content | UnknownContent,
  finding: ImageFinding,
): ExistingImage | undefined {
  if (finding.kind === 'found') {
    const { digest, holders, via, fullSeconds } = finding
    const sources = holders.map((one) => ({ ...one, digest }))
    return { kind: 'found', sources, reason: `found by ${via}`, isNews: via === 'registry', fullSeconds }
  }
  if (finding.kind !== 'unknown' || inputs.checkUnknown === 'build') return undefined
  if (inputs.checkUnknown === 'fail') throw cannotTell(imageName(inputs), finding.reason)
  // Without a content key there is no name by which an image could be assumed.
  if (content.kind === 'unknown') return undefined
  const { repositories, version } = contentQuestion(inputs, content)
  const { lastKnown } = finding
  const known = lastKnown === undefined ? version : { ...version, digest: lastKnown }
  const sources = repositories.map((one) => ({ ...one, ...known }))
  return { kind: 'assumed', sources, reason: `assumed to exist, ${finding.reason}`, isNews: false }
}

export function cannotTell(image: string, reason: string): ImageCacheError {
  return new ImageCacheError('E_CHECK', `nobody can tell whether ${image} exists: ${reason}`, {
    hint: 'Run the job again when the registry answers, or set `check-unknown: build`.',
  })
}
