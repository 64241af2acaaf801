import { expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { parseInspect } from '../../src/buildx/builder.ts'

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
  })
})

test('an unknown form is a builder of which little is known', () => {
  expect(parseInspect('', 'mine')).toEqual({ name: 'mine', driver: 'unknown', buildkit: undefined, platforms: [] })
})

test('a node that does not answer is an error with a hint', () => {
  const broken = `${TEXT}Error:                 dial unix /run/x.sock: connect: no such file or directory\n`
  expect(() => parseInspect(broken, 'mine')).toThrow(ImageCacheError)
  expect(() => parseInspect(broken, 'mine')).toThrow('builder mine does not answer: dial unix')
})
