import { keyHash } from '../base/key-hash.ts'
import type { CheckQuestion } from '../image-check/image-check.ts'
import { formatRepository, type ImageReference } from '../registry/reference.ts'

/** Tags made of a content's key stand for one content for ever, as digests do. */
const CONTENT_TAG = /^content-[0-9a-f]{64}$/

/**
 * What is asked about an image by its name. A tag such as `latest` may stand for another image in a minute, so only the
 * registry is asked for it; a digest or a content tag may be answered by a record.
 */
export function nameQuestion(image: ImageReference, platforms: readonly string[], salt: string): CheckQuestion {
  const { registry, path, tag, digest } = image
  const repository = { registry, path }
  const isLasting = digest !== undefined || CONTENT_TAG.test(tag ?? '')
  const version = digest === undefined ? { tag: tag ?? 'latest' } : { digest }
  const contentKey = keyHash({ name: digest ?? tag })
  const subject = { repositories: [formatRepository(repository)], platforms, contentKey, salt }
  return { repositories: [repository], version, platforms, subject: isLasting ? subject : undefined }
}
