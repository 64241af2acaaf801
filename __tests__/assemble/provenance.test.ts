import { describe, expect, test } from '@jest/globals'
import { type BuildFacts, provenance } from '../../src/assemble/provenance.ts'
import { sbom } from '../../src/assemble/sbom.ts'
import { digestOf, hexOf } from '../../src/base/digest.ts'

const facts: BuildFacts = {
  platform: { os: 'linux', architecture: 'amd64' },
  images: [{ name: 'python:3.12-slim', digest: digestOf('base') }],
  wheels: [
    { name: 'idna', version: '3.11', fileName: 'idna-3.11-py3-none-any.whl', hashes: [digestOf('idna')] },
    { name: 'numpy', version: '2.4', fileName: 'numpy-2.4-cp312.whl', hashes: [digestOf('one'), digestOf('two')] },
  ],
  dockerfile: { path: 'Dockerfile', text: 'FROM x' },
  target: undefined,
  buildArgs: new Map([['TOKEN_URL', 'value']]),
  labels: new Map(),
  secretIds: ['token'],
  context: digestOf('context'),
  source: { uri: 'https://git.example/app', commit: 'abc' },
  builderId: 'https://git.example/app/actions/runs/1/attempts/1',
  startedOn: '2026-11-21T12:00:00.000Z',
  finishedOn: '2026-11-21T12:00:01.000Z',
}

describe('the provenance of a composed image', () => {
  test('names base, builder, and wheels with their hashes', () => {
    const { type, json } = provenance(facts, 'min')
    expect(type).toBe('https://slsa.dev/provenance/v1')
    expect(json).toMatchObject({
      buildDefinition: {
        externalParameters: {
          configSource: { path: 'Dockerfile', uri: 'https://git.example/app', digest: { sha1: 'abc' } },
        },
        resolvedDependencies: [
          { uri: 'pkg:docker/python@3.12-slim?platform=linux%2Famd64', digest: { sha256: hexOf(digestOf('base')) } },
          { uri: 'pkg:pypi/idna@3.11', digest: { sha256: hexOf(digestOf('idna')) } },
          {
            uri: 'pkg:pypi/numpy@2.4',
            annotations: { 'sha256-one-of': [hexOf(digestOf('one')), hexOf(digestOf('two'))] },
          },
          { name: 'context', digest: { sha256: hexOf(digestOf('context')) } },
        ],
      },
      runDetails: { builder: { id: facts.builderId }, metadata: { startedOn: facts.startedOn } },
    })
  })

  test('tells values of build arguments only in mode max, and those of secrets never', () => {
    expect(JSON.stringify(provenance(facts, 'min'))).not.toContain('TOKEN_URL')
    expect(JSON.stringify(provenance(facts, 'max'))).toContain('"TOKEN_URL":"value"')
    expect(provenance(facts, 'min').json).toMatchObject({
      buildDefinition: { externalParameters: { request: { secrets: [{ id: 'token', optional: true }] } } },
    })
  })
})

test('the SBOM lists every wheel with its package URL and hashes, and the base image as one package', () => {
  const { type, json } = sbom({
    name: 'registry.example/app:1',
    digest: digestOf('image'),
    platform: facts.platform,
    base: { name: 'python:3.12-slim', digest: digestOf('base') },
    wheels: facts.wheels,
    created: facts.finishedOn,
  })
  expect(type).toBe('https://spdx.dev/Document')
  const document = Object(json)
  expect(document.spdxVersion).toBe('SPDX-2.3')
  expect(document.packages.map(({ name }: { name: string }) => name)).toEqual([
    ...['registry.example/app:1', 'python:3.12-slim', 'idna', 'numpy'],
  ])
  expect(document.packages[3]).toMatchObject({
    versionInfo: '2.4',
    externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:pypi/numpy@2.4' }],
    checksums: [{ checksumValue: hexOf(digestOf('one')) }, { checksumValue: hexOf(digestOf('two')) }],
  })
  const ids = new Set(document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID))
  expect(ids.size).toBe(4)
  const contained = document.relationships.filter(
    ({ relationshipType }: { relationshipType: string }) => relationshipType === 'CONTAINS',
  )
  expect(contained).toHaveLength(2)
})
