import type { Digest } from '../base/digest.ts'
import { partsOf } from '../flow/missed.ts'
import { knownContent } from '../flow/read-content.ts'
import type { KeyPart } from '../image/key-parts.ts'
import type { BuildSettings } from '../inputs/build-settings.ts'
import { libraryRun, type RunOptions } from './library-run.ts'

/** The key of an image's content, and what it was made of. */
export interface ContentIdentity {
  /** `sha256:…`; equal for two builds that would make the same image. */
  readonly key: Digest
  /** All that decides the image but the files of the context: build arguments, base images by digest, and so on. */
  readonly parts: readonly KeyPart[]
  /** What counts of each file, link and folder of the context, by its path there: kind, mode and content. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * The content key of the image that a build with these settings would make; nothing is built. Each base image costs a
 * request to its registry.
 * @param settings inputs of the action
 * @param options where the run takes place
 * @throws ImageCacheError E_INPUT and E_DOCKERFILE for sources that can't be read, E_CONTENT when the content can't be
 * told: a base image that can't be reached, a named context without a digest
 */
export async function contentKey(settings: BuildSettings, options: RunOptions = {}): Promise<ContentIdentity> {
  return await libraryRun(settings, options, async ({ inputs, deps }) => {
    const { source, content } = await knownContent(inputs, deps)
    return { key: content.key, parts: partsOf(content), files: source.files.entries }
  })
}
