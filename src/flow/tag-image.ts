import type { Digest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import type { Deps } from '../deps.ts'
import { contentTag } from '../image/content-key.ts'
import { tagInDocker } from '../image-check/docker-checker.ts'
import { volatileAnnotations, volatileLabels } from '../image-check/volatile-marks.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type PutTagsResult, putTags } from '../registry/put-tags.ts'
import {
  formatRepository,
  type ImageReference,
  type RepositoryName,
  sameRepository,
  withTag,
} from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { relabelImage } from '../registry/relabel-image.ts'
import type { Content } from './content.ts'
import { type ExistingImage, repositoriesOf } from './find-image.ts'

/** Tags that were put on the image, or why it must be built after all. */
export type Tagged =
  | {
      readonly kind: 'tagged'
      /** Unknown only of an image that was assumed. */
      readonly digest: Digest | undefined
      readonly imageId: Digest | undefined
      /** What the user should know, one sentence each. */
      readonly notes: readonly string[]
    }
  | { readonly kind: 'gone'; readonly reason: string; readonly isMissing: boolean }

/** A repository's tags, and where they come from: the image in the repository itself, or in another one that has it. */
interface TagJob {
  readonly source: ImageReference
  readonly repository: RepositoryName
  readonly tags: readonly ImageReference[]
  /** The tag of its content, where the image comes into the repository for the first time. */
  readonly first: ImageReference | undefined
}

/**
 * Puts all tags on an image that is there. Every repository that has it tags its own, all at the same time; the others
 * get it from the first that has it. What is assumed to exist is tagged as far as that is possible.
 */
export async function tagImage(
  inputs: BuildInputs,
  content: Content,
  existing: ExistingImage,
  deps: Pick<Deps, 'registry' | 'exec' | 'signal'>,
): Promise<Tagged> {
  try {
    if (inputs.load) await loadTags(inputs, content, deps)
    if (!inputs.push) return loaded(existing)
    return await pushTags(inputs, content, existing, deps)
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_CANCELLED') throw error
    const reason = `tags could not be put: ${messageOf(error)}`
    return existing.kind === 'found' ? { kind: 'gone', reason, isMissing: false } : assumed(existing, [reason])
  }
}

async function pushTags(
  inputs: BuildInputs,
  content: Content,
  existing: ExistingImage,
  deps: Pick<Deps, 'registry'>,
): Promise<Tagged> {
  const notes = new Set<string>()
  const results = await Promise.all(
    tagJobs(inputs, content, existing).map(async (job): Promise<PutTagsResult> => {
      const { source, tags, first } = job
      if (inputs.retagLabels) return await relabel(job, inputs, deps.registry, notes)
      return await putTags(deps.registry, source, first === undefined ? tags : [...tags, first])
    }),
  )
  for (const result of results) {
    if (result.kind === 'source-missing')
      return { kind: 'gone', reason: 'a record named an image that is gone', isMissing: true }
    const [failure] = result.failed
    if (failure === undefined) continue
    const reason = `a tag could not be put: ${failure.error.message}`
    if (existing.kind === 'found') return { kind: 'gone', reason, isMissing: false }
    notes.add(reason)
  }
  const [first] = results
  if (first?.kind !== 'done') return assumed(existing, [...notes])
  return { kind: 'tagged', digest: first.digest, imageId: first.configDigest ?? first.digest, notes: [...notes] }
}

/**
 * Puts a repository's tags on a new image with this run's labels. The image that was built comes into the repository
 * first: the tag of the content and the record go on naming it.
 */
async function relabel(
  { source, repository, tags, first }: TagJob,
  inputs: BuildInputs,
  registry: Registry,
  notes: Set<string>,
): Promise<PutTagsResult> {
  const came = first === undefined ? undefined : await putTags(registry, source, [first])
  if (came?.kind === 'source-missing' || (came !== undefined && came.failed.length > 0)) return came
  const here = came === undefined ? source : { ...repository, digest: came.digest }
  const marks = {
    labels: volatileLabels(inputs.labels, inputs.volatileLabels),
    annotations: volatileAnnotations(inputs.annotations, inputs.volatileLabels),
  }
  const renewed = await relabelImage(registry, here, marks)
  if (renewed.kind === 'missing') return { kind: 'source-missing' }
  if (renewed.kind === 'relabelled' && renewed.attestationsLeft > 0) notes.add(ATTESTATIONS_LEFT)
  return await putTags(registry, { ...repository, digest: renewed.digest }, tags)
}

const ATTESTATIONS_LEFT =
  'retag-labels made a new image; its attestations and signatures stay with the one it was made from, whose digest they name'

function tagJobs(inputs: BuildInputs, content: Content, { sources }: ExistingImage): readonly TagJob[] {
  const [first] = sources
  if (first === undefined) return []
  return repositoriesOf(inputs).map((repository) => {
    const own = sources.find((source) => sameRepository(source, repository))
    const tags = inputs.tags.filter((tag) => sameRepository(tag, repository))
    if (own !== undefined) return { source: own, repository, tags, first: undefined }
    return { source: first, repository, tags, first: withTag(repository, contentTag(content.key)) }
  })
}

/** In Docker the image goes by the tag of its content: ids differ between Docker and registries. */
async function loadTags(
  inputs: BuildInputs,
  content: Content,
  { exec, signal }: Pick<Deps, 'exec' | 'signal'>,
): Promise<void> {
  const [repository] = repositoriesOf(inputs)
  if (repository === undefined) return
  await tagInDocker(exec, withTag(repository, contentTag(content.key)), inputs.tags, signal)
}

function loaded({ sources: [source] }: ExistingImage): Tagged {
  return { kind: 'tagged', digest: source?.digest, imageId: source?.digest, notes: [] }
}

function assumed({ sources: [source] }: ExistingImage, notes: readonly string[]): Tagged {
  const name = source === undefined ? 'the image' : formatRepository(source)
  return {
    kind: 'tagged',
    digest: source?.digest,
    imageId: source?.digest,
    notes: [...notes, `${name} is assumed to exist`],
  }
}
