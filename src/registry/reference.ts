import type { Digest } from '../base/digest.ts'

/** A repository on a registry: `registry` is a host with an optional port, `path` has no tag. Docker Hub is `docker.io`. */
export interface RepositoryName {
  readonly registry: string
  readonly path: string
}

/** What names an image. At least one of tag and digest is set; the digest decides when both are. */
export interface ImageReference extends RepositoryName {
  readonly tag?: string
  readonly digest?: Digest
}
