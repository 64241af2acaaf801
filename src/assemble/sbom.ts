import { type Digest, hexOf } from '../base/digest.ts'
import type { Platform } from '../registry/platform.ts'
import { dockerPurl, type Predicate } from './attestation.ts'
import { type ImageMaterial, pypiPurl, type WheelMaterial } from './provenance.ts'

/** What an image is a list of. */
export interface SbomFacts {
  /** `registry/path:tag` */
  readonly name: string
  readonly digest: Digest
  readonly platform: Platform
  readonly base: ImageMaterial
  readonly wheels: readonly WheelMaterial[]
  /** RFC 3339 */
  readonly created: string
}

/**
 * A software bill of materials made from the lock, exact to the wheel (SPDX 2.3, JSON): the image, its base image as one
 * package, and each Python package with its package URL and the hashes that the lock allows. What the base image holds
 * is the base image's own to tell.
 */
export function sbom({ name, digest, platform, base, wheels, created }: SbomFacts): Predicate {
  const image = { SPDXID: 'SPDXRef-image', name, ...packageOf(dockerPurl(name, platform)), checksums: [sum(digest)] }
  const below = {
    SPDXID: 'SPDXRef-base',
    name: base.name,
    ...packageOf(dockerPurl(base.name, platform)),
    checksums: [sum(base.digest)],
  }
  const packages = wheels.map(({ name: wheel, version, fileName, hashes }, index) => ({
    SPDXID: `SPDXRef-python-${index + 1}`,
    name: wheel,
    versionInfo: version,
    packageFileName: fileName,
    ...packageOf(pypiPurl(wheel, version)),
    checksums: hashes.map((hash) => ({ algorithm: 'SHA256', checksumValue: hash.replace(/^sha256:/, '') })),
  }))
  const related = (from: string, relationshipType: string, to: string): object => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  })
  return {
    type: 'https://spdx.dev/Document',
    json: {
      spdxVersion: 'SPDX-2.3',
      dataLicense: 'CC0-1.0',
      SPDXID: 'SPDXRef-DOCUMENT',
      name,
      documentNamespace: `https://spdx.org/spdxdocs/image-cache-${hexOf(digest)}`,
      creationInfo: { created, creators: ['Tool: image-cache'] },
      packages: [image, below, ...packages],
      relationships: [
        related('SPDXRef-DOCUMENT', 'DESCRIBES', 'SPDXRef-image'),
        related('SPDXRef-image', 'DESCENDANT_OF', 'SPDXRef-base'),
        ...packages.map(({ SPDXID }) => related('SPDXRef-image', 'CONTAINS', SPDXID)),
      ],
    },
  }
}

function packageOf(purl: string): object {
  return {
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }
}

function sum(digest: Digest): object {
  return { algorithm: 'SHA256', checksumValue: hexOf(digest) }
}
