import { isDigest } from '../base/digest.ts'
import { type Annotation, parseAnnotation } from '../registry/annotation.ts'
import type { PushedImage } from '../registry/merge-images.ts'
import { formatPlatform, parsePlatform } from '../registry/platform.ts'
import { formatReference, type ImageReference, parseReference } from '../registry/reference.ts'
import { InputReader, type ReadInput } from './input-reader.ts'

/** What the merge action takes, checked. */
export interface MergeInputs {
  readonly images: readonly PushedImage[]
  /** Where images are for platforms that none of `images` is for, in the first repository. */
  readonly otherwise: readonly ImageReference[]
  readonly tags: readonly [ImageReference, ...ImageReference[]]
  readonly annotations: readonly Annotation[]
  /** In the one spelling of each platform. */
  readonly platforms: readonly string[]
  /** Annotations of the images themselves, which only their builds can write. */
  readonly leftOut: readonly string[]
}

/** `name@sha256:…` or a bare digest, in any text. */
const PUSHED = /(?:([a-z0-9][\w./:-]*)@)?(sha256:[0-9a-f]{64})/g

/**
 * The one parser of the merge action's inputs.
 * @param files texts that were found in `digests-folder`: names or contents of files
 * @throws ImageCacheError E_INPUT that lists all mistakes together
 */
export function parseMergeInputs(read: ReadInput, files: readonly string[]): MergeInputs {
  const reader = new InputReader(read)
  const tags = references(reader, 'tags').flatMap((reference): ImageReference[] => {
    if (reference.digest === undefined) return [{ ...reference, tag: reference.tag ?? 'latest' }]
    reader.mistake('tags', formatReference(reference), 'has a digest, a tag is wanted')
    return []
  })
  const [home, ...others] = tags
  const otherwise = home === undefined ? [] : contentTags(reader, home)
  if (reader.text('tags') === undefined) reader.mistake('tags', '', 'is empty, but the image needs a name')
  const given = reader.text('digests') ?? ''
  const images = home === undefined ? [] : [given, ...files].flatMap((text) => pushedImages(text, home, reader))
  if (home !== undefined && images.length === 0 && otherwise.length === 0) {
    const folder = reader.text('digests-folder')
    if (folder === undefined) reader.mistake('digests', given, 'holds no digest')
    else reader.mistake('digests-folder', folder, 'has no file that is named by a digest or holds one')
  }
  const annotations = reader.lines('annotations').flatMap((line) => readAnnotation(line, reader))
  const platforms = reader.list('platforms').flatMap((text) => {
    const platform = parsePlatform(text)
    if (typeof platform !== 'string') return [formatPlatform(platform)]
    reader.mistake('platforms', text, 'is not os/architecture[/variant], such as linux/arm64')
    return []
  })
  if (otherwise.length > 0 && platforms.length === 0) {
    reader.mistake('platforms', '', 'is empty, and content-tags are for those that no digest is for')
  }
  reader.finish()
  if (home === undefined) throw new RangeError('tags were checked above')
  const isOfImage = ({ levels }: Annotation): boolean => !levels.some((level) => LEVELS.has(level))
  return {
    images,
    otherwise,
    tags: [home, ...others],
    annotations: annotations.filter((one) => !isOfImage(one)),
    platforms,
    leftOut: annotations.filter(isOfImage).map(({ name }) => name),
  }
}

function references(reader: InputReader, input: string): readonly ImageReference[] {
  return reader.list(input).flatMap((text) => {
    const reference = parseReference(text)
    if (typeof reference !== 'string') return [reference]
    reader.mistake(input, text, reference)
    return []
  })
}

function contentTags(reader: InputReader, { registry, path }: ImageReference): readonly ImageReference[] {
  return reader.list('content-tags').flatMap((tag) => {
    if (/^\w[\w.-]{0,127}$/.test(tag)) return [{ registry, path, tag }]
    reader.mistake('content-tags', tag, 'is not a tag')
    return []
  })
}

const LEVELS: ReadonlySet<string> = new Set(['index', 'manifest-descriptor'])

/** Without a level an annotation is the index's: there is nothing else that a merge makes. */
function readAnnotation(line: string, reader: InputReader): readonly Annotation[] {
  const name = line.slice(0, Math.max(0, line.indexOf('=')))
  const annotation = parseAnnotation(name.includes(':') ? line : `index:${line}`)
  if (typeof annotation !== 'string') return [annotation]
  reader.mistake('annotations', line, annotation)
  return []
}

function pushedImages(text: string, home: ImageReference, reader: InputReader): readonly PushedImage[] {
  return [...text.matchAll(PUSHED)].flatMap(([whole, name, digest = '']): PushedImage[] => {
    if (!isDigest(digest)) return []
    if (name === undefined) return [{ registry: home.registry, path: home.path, digest }]
    const reference = parseReference(name)
    if (typeof reference !== 'string') return [{ registry: reference.registry, path: reference.path, digest }]
    reader.mistake('digests', whole, reference)
    return []
  })
}
