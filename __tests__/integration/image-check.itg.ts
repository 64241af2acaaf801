import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { inputOptions, LineRig } from '../support/line-rig.ts'
import { digestOfTag, readImage, removeImage } from '../support/oci-image.ts'

const minutes = 60_000
const REVISION = 'org.opencontainers.image.revision'
let rig: LineRig
let repository: string

beforeAll(async () => {
  rig = await LineRig.create()
  repository = `${rig.services.registry}/checked`
  await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nARG WORD\nRUN echo "$WORD" > /word\n')
}, 5 * minutes)
afterAll(() => rig.close(), minutes)

function inputs(tag: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return rig.inputs(`checked:${tag}`, { 'build-args': 'WORD=one', ...more })
}

describe('an image with the labels of another commit', () => {
  test(
    'is found; with retag-labels it gets the new ones on the same layers, without its attestations',
    async () => {
      const first = await rig.run(inputs('one', { labels: `${REVISION}=one\nteam=ml`, provenance: 'mode=min' }))
      expect([first.exitCode, first.outputs.get('skipped')]).toEqual([0, 'false'])
      const plain = await rig.run(inputs('plain', { labels: `${REVISION}=two\nteam=ml`, provenance: 'mode=min' }))
      expect([plain.outputs.get('skipped'), plain.annotations]).toEqual(['true', []])
      const old = await readImage(repository, 'one')
      expect(await digestOfTag(repository, 'plain')).toBe(old.digest)

      const more = { labels: `${REVISION}=two\nteam=ml`, provenance: 'mode=min', 'retag-labels': 'true' }
      const renewed = await rig.run(inputs('two', more))
      expect([renewed.exitCode, renewed.outputs.get('skipped')]).toEqual([0, 'true'])
      const image = await readImage(repository, 'two')
      expect(renewed.outputs.get('digest')).toBe(image.digest)
      expect(image.digest).not.toBe(old.digest)
      expect(image.labels).toEqual({ [REVISION]: 'two', team: 'ml' })
      expect(image.layers).toEqual(old.layers)
      expect(renewed.annotations).toEqual([
        { level: 'warning', message: expect.stringContaining('attestations and signatures stay with the one') },
      ])
      expect(await rig.runInside(`${rig.registry}/checked:two`, 'cat /word')).toBe('one\n')
      // What was built, and its attestations, are as they were.
      expect((await readImage(repository, 'one')).labels).toEqual({ [REVISION]: 'one', team: 'ml' })
    },
    2 * minutes,
  )
})

describe('image-cache check', () => {
  const given = (): Readonly<Record<string, string>> => inputs('cli', { 'build-args': 'WORD=cli' })

  test(
    'answers 3 for an image that must be built, 0 once it is, then from the record alone, and 3 when it is gone',
    async () => {
      const check = (...more: readonly string[]) => rig.command('check', '.', ...inputOptions(given()), ...more)
      const missing = await check()
      expect([missing.exitCode, missing.stdout]).toEqual([3, expect.stringMatching(/^missing .*checked:cli \(not in /)])
      expect((await rig.command('build', '.', ...inputOptions(given()))).exitCode).toBe(0)
      const found = await check('--json')
      const digest = await digestOfTag(repository, 'cli')
      expect(found.exitCode).toBe(0)
      expect(JSON.parse(found.stdout)).toMatchObject({ exists: 'true', images: [{ outcome: 'found', digest }] })
      // The base image's digest, for the content key.
      const own = Object.keys(found.traffic.byBlob)
      expect(own).toEqual([])
      expect(JSON.parse(found.stdout).images[0].reason).toMatch(/^a record of /)
      await removeImage(repository, digest ?? '')
      const gone = await check('--check', 'registry')
      expect(gone.exitCode).toBe(3)
    },
    2 * minutes,
  )

  test('answers for several images by name, with their platforms', async () => {
    const base = `${rig.registry}/base/python:3.11-slim`
    const both = ['--images', base, '--images', `${rig.registry}/base/uv:python3.11`]
    const found = await rig.command('check', ...both, '--platforms', 'linux/amd64')
    expect([found.exitCode, found.stdout.match(/^found /gm)?.length]).toEqual([0, 2])
    const missing = await rig.command('check', '--images', base, '--platforms', 'linux/amd64,linux/s390x', '--json')
    expect(missing.exitCode).toBe(3)
    expect(JSON.parse(missing.stdout).images[0].missingPlatforms).toEqual(['linux/s390x'])
  })

  test('answers 4 when nobody can tell, and 1 when that is to be a failure', async () => {
    const nowhere = ['--images', '127.0.0.1:1/org/app:v1']
    const unknown = await rig.command('check', ...nowhere)
    expect([unknown.exitCode, unknown.stdout]).toEqual([4, expect.stringMatching(/^unknown /)])
    expect(unknown.stderr).toContain('the registry could not be asked')
    const failed = await rig.command('check', ...nowhere, '--check-unknown', 'fail')
    expect([failed.exitCode, failed.stdout]).toEqual([1, ''])
    expect(failed.stderr).toContain('E_CHECK: nobody can tell whether 127.0.0.1:1/org/app:v1 exists')
  })

  test('is called wrongly with exit code 2, and without a name with 1', async () => {
    expect((await rig.command('check', '--no-such-option')).exitCode).toBe(2)
    const nameless = await rig.command('check', '.')
    expect([nameless.exitCode, nameless.stderr]).toEqual([1, expect.stringContaining('E_INPUT: tags: ""')])
  })
})

test(
  'a base image that does not exist is named as what the build lacks',
  async () => {
    await rig.workspace.write('lost/Dockerfile', `FROM ${rig.registry}/base/python:3.99\nRUN true\n`)
    const run = await rig.run(rig.inputs('lost:v1', { context: 'lost' }))
    expect(run.exitCode).toBe(1)
    const [error, warning] = run.annotations
    expect(warning?.message).toMatch(/nothing can be skipped: .*base\/python:3.99 is not in its registry/)
    expect(error?.message).toMatch(/^E_BASE_IMAGE: .*base\/python:3.99/)
    expect(error?.message).toContain('check its name and tag in the Dockerfile')
  },
  minutes,
)
