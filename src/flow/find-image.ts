import type { Digest } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import type { Deps } from '../deps.ts'
import { contentTag } from '../image/content-key.ts'
import { type CheckQuestion, checkImage, type ImageCheck } from '../image-check/check-image.ts'
import { recordKey } from '../image-check/image-record.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { putTags } from '../registry/put-tags.ts'
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import type { Content, UnknownContent } from './content.ts'

/** The repositories that the tags are in, each once, in the order of the tags. */
export function repositoriesOf(inputs: BuildInputs): readonly RepositoryName[] {
  const byName = new Map(
    inputs.tags.map(({ registry, path }) => [formatRepository({ registry, path }), { registry, path }]),
  )
  return [...byName.values()]
}

/** The image's name for people: its first repository. */
export function imageName(inputs: BuildInputs): string {
  const [first] = repositoriesOf(inputs)
  return first === undefined ? 'image without a name' : formatRepository(first)
}

/** The check's question for this build; undefined with the reason when there is nothing to ask. */
export function checkQuestion(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  now: number,
): { readonly kind: 'ask'; readonly question: CheckQuestion } | { readonly kind: 'skip'; readonly reason: string } {
  const skip = (reason: string): { kind: 'skip'; reason: string } => ({ kind: 'skip', reason })
  if (content.kind === 'unknown') return skip(`the content can't be told: ${content.reason}`)
  if (!inputs.push) return skip('nothing is pushed')
  if (inputs.load || inputs.outputs.length > 0) return skip('the image goes to other places than registries, too')
  const repositories = repositoriesOf(inputs)
  const subject = {
    repositories: repositories.map(formatRepository),
    platforms: inputs.platforms,
    contentKey: content.key,
    salt: inputs.salt,
  }
  const ttl = inputs.check === 'registry' ? 0 : inputs.checkTtl
  return { kind: 'ask', question: { repositories, tag: contentTag(content.key), subject, ttl, now } }
}

/** Asks whether the image is there already. */
export async function findImage(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  deps: Deps,
): Promise<ImageCheck> {
  const asked = checkQuestion(inputs, content, deps.clock.now())
  if (asked.kind === 'skip') return { kind: 'unknown', reason: asked.reason }
  if (inputs.check === 'off') return { kind: 'missing', reason: 'check: off' }
  if (inputs.force || inputs.noCache)
    return { kind: 'missing', reason: inputs.force ? 'force: true' : 'no-cache: true' }
  return checkImage(asked.question, deps.store, deps.registry)
}

/** Tags that were put on the found image, or why it must be built after all. */
export type Tagged =
  | { readonly kind: 'tagged'; readonly imageId: Digest }
  | { readonly kind: 'gone'; readonly reason: string }

/** Puts all tags on an image that is there, in every repository. A record may lie: then the image is gone. */
export async function tagFoundImage(inputs: BuildInputs, digest: Digest, deps: Deps): Promise<Tagged> {
  try {
    const results = await Promise.all(
      repositoriesOf(inputs).map((repository) => {
        const name = formatRepository(repository)
        const tags = inputs.tags.filter((tag) => formatRepository(tag) === name)
        return putTags(deps.registry, { ...repository, digest }, tags)
      }),
    )
    for (const result of results) {
      if (result.kind === 'source-missing') return { kind: 'gone', reason: 'a record named an image that is gone' }
      const [failure] = result.failed
      if (failure !== undefined) return { kind: 'gone', reason: `a tag could not be put: ${failure.error.message}` }
    }
    const [first] = results
    return { kind: 'tagged', imageId: (first?.kind === 'done' ? first.configDigest : undefined) ?? digest }
  } catch (error) {
    return { kind: 'gone', reason: `tags could not be put: ${messageOf(error)}` }
  }
}

/** Notes that the image of this content is in all its repositories, for the next job's first question. */
export function rememberImage(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  digest: Digest | undefined,
  deps: Deps,
): void {
  const asked = checkQuestion(inputs, content, deps.clock.now())
  if (asked.kind === 'skip' || digest === undefined || inputs.check === 'off') return
  const key = recordKey(asked.question.subject, { digest, writtenAt: deps.clock.now() })
  deps.saveLater({ key, body: digest })
}
