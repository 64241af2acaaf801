import { describe, expect, test } from '@jest/globals'
import { formatPlatform, isAttestation, parsePlatform, selectPlatform } from '../../src/registry/platform.ts'

describe('a platform has one spelling', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['Linux/ARM64', 'linux/arm64'],
  ])('%s', (text, expected) => {
    const platform = parsePlatform(text)
    expect(typeof platform === 'string' ? platform : formatPlatform(platform)).toBe(expected)
  })

  test.each(['', 'linux', 'linux/', 'linux/a/b/c', 'linux amd64', '/amd64'])('%j is refused', (text) => {
    expect(parsePlatform(text)).toContain('is no platform')
  })
})

describe('the entry of an index for a platform', () => {
  const index = [
    { name: 'amd64', platform: { os: 'linux', architecture: 'amd64' } },
    { name: 'v6', platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
    { name: 'v5', platform: { os: 'linux', architecture: 'arm', variant: 'v5' } },
    { name: 'arm64', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    {
      name: 'attestation',
      platform: { os: 'linux', architecture: 's390x' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    },
    { name: 'no platform' },
  ]

  test.each([
    [{ os: 'linux', architecture: 'amd64' }, 'amd64'],
    [{ os: 'linux', architecture: 'arm64' }, 'arm64'],
    [{ os: 'linux', architecture: 'arm', variant: 'v7' }, 'v6'],
    [{ os: 'linux', architecture: 'arm', variant: 'v5' }, 'v5'],
    [{ os: 'linux', architecture: 's390x' }, undefined],
    [{ os: 'windows', architecture: 'amd64' }, undefined],
  ])('%j is %s', (wanted, expected) => {
    expect(selectPlatform(index, wanted)?.name).toBe(expected)
  })

  test('an entry for unknown/unknown is an attestation', () => {
    expect(isAttestation({ platform: { os: 'unknown', architecture: 'unknown' } })).toBe(true)
  })
})
