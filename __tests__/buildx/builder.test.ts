import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { builderText, parseInspect } from '../../src/buildx/builder.ts'

const TEXT = `Name:          builder
Driver:        docker-container
Last Activity: 2026-11-21 08:00:00 +0000 UTC

Nodes:
Name:                  builder0
Endpoint:              unix:///var/run/docker.sock
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.33.1
Platforms:             linux/amd64*, linux/amd64/v2, linux/arm64
Labels:
 org.mobyproject.buildkit.worker.executor: oci
`

test('name, driver, version and platforms are read', () => {
  expect(parseInspect(TEXT, undefined)).toEqual({
    name: 'builder',
    driver: 'docker-container',
    buildkit: '0.33.1',
    platforms: ['linux/amd64', 'linux/amd64/v2', 'linux/arm64'],
    cacheExport: undefined,
    nodes: [
      {
        name: 'builder0',
        endpoint: 'unix:///var/run/docker.sock',
        buildkit: '0.33.1',
        platforms: ['linux/amd64', 'linux/amd64/v2', 'linux/arm64'],
        error: undefined,
      },
    ],
  })
})

test('an unknown form is a builder of which little is known', () => {
  expect(parseInspect('', 'mine')).toMatchObject({
    name: 'mine',
    driver: 'unknown',
    buildkit: undefined,
    platforms: [],
  })
})

test('a node that does not answer is an error with a hint', () => {
  const broken = `${TEXT}Error:                 dial unix /run/x.sock: connect: no such file or directory\n`
  expect(() => parseInspect(broken, 'mine')).toThrow(ImageCacheError)
  expect(() => parseInspect(broken, 'mine')).toThrow('builder mine does not answer: dial unix')
})

describe('a builder of several nodes', () => {
  const arm = TEXT.slice(TEXT.indexOf('Name:                  builder0'))
    .replace('builder0', 'builder1')
    .replace('v0.33.1', 'v0.9.3')
    .replace('linux/amd64*, linux/amd64/v2, linux/arm64', 'linux/arm64*, linux/riscv64')

  test('has the platforms of all of them and the oldest version', () => {
    const builder = parseInspect(`${TEXT}\n${arm}`, undefined)
    expect(builder.nodes.map(({ name }) => name)).toEqual(['builder0', 'builder1'])
    expect(builder.platforms).toEqual(['linux/amd64', 'linux/amd64/v2', 'linux/arm64', 'linux/riscv64'])
    expect(builder.buildkit).toBe('0.9.3')
  })

  test('is there as long as one answers', () => {
    const lost = 'Name: builder1\nEndpoint: tcp://arm:1234\nError: dial tcp: connection refused\n'
    const builder = parseInspect(`${TEXT}\n${lost}`, undefined)
    expect([builder.buildkit, builder.nodes[1]?.error]).toEqual(['0.33.1', 'dial tcp: connection refused'])
    expect(builderText(builder)).toMatch(/^builder: docker-container, BuildKit 0.33.1, 2 nodes, 1 of them without/)
  })
})

test('whether caches can be exported is told by newer versions of buildx', () => {
  const features = 'Features:\n Cache export:             false\n OCI exporter:             true\n'
  expect(parseInspect(TEXT + features, undefined).cacheExport).toBe(false)
  expect(parseInspect(TEXT + features.replace('false', 'true'), undefined).cacheExport).toBe(true)
})
