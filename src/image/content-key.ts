import type { Digest } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'

/** Changes when keys must not match those of earlier releases, because the same parts now give another image. */
export const CONTENT_KEY_FORMAT = 1

/** All that decides an image. Two builds with equal parts make the same image, so the second needn't run. */
export interface ContentKeyParts {
  readonly salt: string
  /** Bytes of the Dockerfile as the user wrote it. */
  readonly dockerfile: string
  readonly target: string | undefined
  /** Sorted; empty means the builder's own platform, which then stands in `builderPlatform`. */
  readonly platforms: readonly string[]
  readonly builderPlatform: string | undefined
  /** Only arguments that a reachable stage declares: others can't change the image. */
  readonly buildArgs: ReadonlyMap<string, string>
  readonly context: Digest
  /** What stands for the files that tasks make in the context: the key of those tasks. */
  readonly tasks?: Digest | undefined
  /** Digest of each named context, by name. */
  readonly namedContexts: ReadonlyMap<string, Digest>
  /** Digest behind each external image (FROM, COPY --from), by the reference in the Dockerfile. */
  readonly images: ReadonlyMap<string, Digest>
  /** Without those that change with each commit or minute. */
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: readonly string[]
  /** Ids alone: a secret's value must not decide what an image holds, and must not be guessable from a key. */
  readonly secretIds: readonly string[]
  readonly provenance: string | undefined
  readonly sbom: string | undefined
  readonly compression: string
  readonly outputs: readonly string[]
  /** What the build's commands meet besides files, and what is attested; undefined when nothing was asked for. */
  readonly options?: readonly string[] | undefined
  /** How dependencies are laid into layers: name of the installer image, bounds and wishes, or off. */
  readonly layers:
    | {
        readonly installer: string
        readonly maxLayers: number
        readonly maxLayerSize: number
        readonly pins: readonly (readonly string[])[]
        readonly heavy: readonly string[]
        readonly python: string | undefined
      }
    | 'off'
}

/** The key of an image's content: a typed, length-prefixed hash of its parts. */
export function contentKey(parts: ContentKeyParts): Digest {
  return keyHash({
    ...parts,
    format: CONTENT_KEY_FORMAT,
    platforms: [...parts.platforms].sort(),
    buildArgs: Object.fromEntries(parts.buildArgs),
    namedContexts: Object.fromEntries(parts.namedContexts),
    images: Object.fromEntries(parts.images),
    labels: Object.fromEntries(parts.labels),
    annotations: [...parts.annotations].sort(),
    secretIds: [...parts.secretIds].sort(),
  })
}

/** The tag under which an image of this content is kept beside the user's own tags. */
export function contentTag(key: Digest): string {
  return `content-${key.slice('sha256:'.length)}`
}
