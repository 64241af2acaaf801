import { type Digest, hexOf } from '../base/digest.ts'
import type { Platform } from '../registry/platform.ts'
import { dockerPurl, type Predicate } from './attestation.ts'

/** A wheel that was installed: one of those whose hashes the lock allows. */
export interface WheelMaterial {
  readonly name: string
  readonly version: string
  readonly fileName: string
  /** `sha256:…`, at least one. */
  readonly hashes: readonly string[]
}

/** An image that went into the build. */
export interface ImageMaterial {
  /** `registry/path:tag` or `registry/path@sha256:…` */
  readonly name: string
  readonly digest: Digest
}

/** What a composed image was made of and by whom. */
export interface BuildFacts {
  readonly platform: Platform
  readonly images: readonly ImageMaterial[]
  readonly wheels: readonly WheelMaterial[]
  readonly dockerfile: { readonly path: string; readonly text: string }
  readonly target: string | undefined
  readonly buildArgs: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  readonly secretIds: readonly string[]
  /** Digest of the build context. */
  readonly context: Digest
  /** Address of the source repository and its commit, where the job tells. */
  readonly source: { readonly uri: string; readonly commit: string } | undefined
  /** Address of the run, or empty. */
  readonly builderId: string
  /** RFC 3339 */
  readonly startedOn: string
  readonly finishedOn: string
}

const BUILD_TYPE = 'https://github.com/image-cache-action/composed@v1'

/**
 * SLSA provenance, version 1 (slsa.dev/spec/v1.0/provenance). `min` leaves out what may hold values of the user's, as
 * BuildKit does: build arguments, labels and the Dockerfile's text.
 */
export function provenance(facts: BuildFacts, mode: 'min' | 'max'): Predicate {
  const { dockerfile, target, source, platform } = facts
  const isMax = mode === 'max'
  return {
    type: 'https://slsa.dev/provenance/v1',
    json: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          configSource: { path: dockerfile.path, ...(source === undefined ? {} : sourceOf(source)) },
          request: {
            frontend: 'image-cache',
            ...(target === undefined ? {} : { target }),
            ...(isMax ? { args: Object.fromEntries(facts.buildArgs), labels: Object.fromEntries(facts.labels) } : {}),
            ...(facts.secretIds.length === 0 ? {} : { secrets: facts.secretIds.map((id) => ({ id, optional: true })) }),
          },
        },
        internalParameters: {
          builderPlatform: [platform.os, platform.architecture].join('/'),
          ...(isMax ? { dockerfile: Buffer.from(dockerfile.text).toString('base64') } : {}),
        },
        resolvedDependencies: [
          ...facts.images.map(({ name, digest }) => ({
            uri: dockerPurl(name, platform),
            digest: { sha256: hexOf(digest) },
          })),
          ...facts.wheels.map(wheelDependency),
          { name: 'context', digest: { sha256: hexOf(facts.context) } },
        ],
      },
      runDetails: {
        builder: { id: facts.builderId },
        metadata: { startedOn: facts.startedOn, finishedOn: facts.finishedOn },
      },
    },
  }
}

function sourceOf({ uri, commit }: { readonly uri: string; readonly commit: string }): object {
  return { uri, digest: { sha1: commit } }
}

/** A lock that allows several files of a version doesn't tell which of them was taken. */
function wheelDependency({ name, version, fileName, hashes }: WheelMaterial): object {
  const sha256 = hashes.map((hash) => hash.replace(/^sha256:/, ''))
  const [only] = sha256
  const uri = pypiPurl(name, version)
  if (sha256.length === 1 && only !== undefined) return { uri, name: fileName, digest: { sha256: only } }
  return { uri, name: fileName, annotations: { 'sha256-one-of': sha256 } }
}

/** `pkg:pypi/name@version` (purl-spec, type pypi). */
export function pypiPurl(name: string, version: string): string {
  return `pkg:pypi/${encodeURIComponent(name)}@${encodeURIComponent(version)}`
}
