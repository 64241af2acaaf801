import { describe, expect, test } from '@jest/globals'
import { type BuilderPlan, createArgs, makeBuilder, removeBuilder } from '../../src/buildx/make-builder.ts'
import type { Exec, ExecResult } from '../../src/exec/exec.ts'

const plan: BuilderPlan = {
  name: 'mine',
  driver: 'docker-container',
  driverOpts: [],
  image: 'moby/buildkit:v0.33.1',
  endpoint: undefined,
  allow: [],
}
const buildx = { command: 'docker', prefix: ['buildx'] }
const signal = new AbortController().signal
const THERE = 'Name: mine\nDriver: docker-container\n\nNodes:\nName: mine0\nBuildKit version: v0.33.1\n'

/** A buildx that says these things to one call after the other. */
function saying(...answers: readonly (string | undefined)[]): { exec: Exec; calls: string[] } {
  const calls: string[] = []
  const exec: Exec = {
    run: async (command, args): Promise<ExecResult> => {
      const error = answers[calls.length]
      calls.push([command, ...args].join(' '))
      const [exitCode, stderr] = error === undefined ? [0, ''] : [1, error]
      return { exitCode, signal: null, stdout: exitCode === 0 ? THERE : '', stderr }
    },
  }
  return { exec, calls }
}

describe('what buildx is told to make', () => {
  test.each<readonly [string, Partial<BuilderPlan>, string]>([
    ['a container of pinned BuildKit', {}, '--driver docker-container --driver-opt image=moby/buildkit:v0.33.1'],
    [
      'the user’s own image',
      { driverOpts: ['image=mirror.example/buildkit:v1', 'network=host'] },
      '--driver docker-container --driver-opt image=mirror.example/buildkit:v1 --driver-opt network=host',
    ],
    [
      'entitlements that the build needs',
      { allow: ['network.host'], image: undefined },
      '--driver docker-container --buildkitd-flags --allow-insecure-entitlement network.host',
    ],
    [
      'a deployment in a cluster, options as they are',
      { driver: 'kubernetes', driverOpts: ['namespace=ci', 'replicas=3', '"nodeselector=a=b,c=d"'] },
      '--driver kubernetes --driver-opt namespace=ci --driver-opt replicas=3 --driver-opt "nodeselector=a=b,c=d" --driver-opt image=moby/buildkit:v0.33.1',
    ],
    [
      'a remote daemon with its certificates',
      { driver: 'remote', driverOpts: ['cacert=ca.pem'], image: undefined, endpoint: 'tcp://one:1234', allow: ['x'] },
      '--driver remote --driver-opt cacert=ca.pem tcp://one:1234',
    ],
  ])('%s', (_, changes, expected) => {
    expect(createArgs({ ...plan, ...changes }).join(' ')).toBe(`create --name mine ${expected}`)
  })
})

describe('a builder', () => {
  test('is started again while the registry of its image refuses for the moment', async () => {
    const busy = 'ERROR: toomanyrequests: rate limit'
    const { exec, calls } = saying(undefined, busy, 'ERROR: net/http: TLS handshake timeout', undefined)
    const found = await makeBuilder(plan, { exec, buildx, signal }, () => undefined, [0, 0])
    expect(found.builder).toMatchObject({ name: 'mine', driver: 'docker-container', buildkit: '0.33.1' })
    expect(calls.slice(1)).toEqual(Array(3).fill('docker buildx inspect --bootstrap mine'))
  })

  test('is given up after three tries, and still removed', async () => {
    const { exec, calls } = saying(undefined, ...Array<string>(5).fill('502 Bad Gateway'))
    let made = 0
    const making = makeBuilder(plan, { exec, buildx, signal }, () => made++, [0, 0])
    await expect(making).rejects.toMatchObject({
      code: 'E_BUILDER',
      message: expect.stringContaining('502 Bad Gateway'),
    })
    expect([calls.length, made]).toEqual([4, 1])
  })

  test('is not asked again for what will not pass, nor is a remote one', async () => {
    const gone = 'ERROR: dial tcp 10.0.0.1:1234: i/o timeout'
    for (const [changes, said] of [
      [{}, 'pull access denied'],
      [{ driver: 'remote', endpoint: 'tcp://a:1' }, gone],
    ] as const) {
      const { exec, calls } = saying(undefined, said, undefined)
      const making = makeBuilder({ ...plan, ...changes }, { exec, buildx, signal }, () => undefined, [0, 0])
      await expect(making).rejects.toMatchObject({ code: 'E_BUILDER' })
      expect(calls).toHaveLength(2)
    }
  })

  test.each([
    ['Status: inactive', 'the builder at tcp://a:1 does not answer: it is inactive'],
    ['Error: certificate has expired', 'the builder at tcp://a:1 does not answer: certificate has expired'],
  ])('far away that answers %j is not there', async (line, message) => {
    const exec: Exec = {
      run: async () => ({ exitCode: 0, signal: null, stderr: '', stdout: `Name: a\nNodes:\nName: a0\n${line}\n` }),
    }
    const remote: BuilderPlan = { ...plan, driver: 'remote', endpoint: 'tcp://a:1' }
    const making = makeBuilder(remote, { exec, buildx, signal }, () => undefined)
    await expect(making).rejects.toMatchObject({ code: 'E_BUILDER', message })
  })

  test('that could not be made leaves nothing to remove', async () => {
    const { exec } = saying('ERROR: existing instance for "mine"')
    let made = 0
    await expect(makeBuilder(plan, { exec, buildx, signal }, () => made++)).rejects.toThrow('existing instance')
    expect(made).toBe(0)
  })

  test('is removed, or it is said why not', async () => {
    const { exec, calls } = saying(undefined, 'ERROR: no builder "mine" found')
    expect(await removeBuilder('mine', { exec, buildx })).toBeUndefined()
    expect(calls).toEqual(['docker buildx rm --force mine'])
    expect(await removeBuilder('mine', { exec, buildx })).toBe('ERROR: no builder "mine" found')
  })
})
