import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { startServices } from '../../tools/services/service-set.ts'
import { type JobRun, LineRig } from '../support/line-rig.ts'

const minutes = 60_000
jest.setTimeout(minutes)
let rig: LineRig

/** Layers of the image's own, besides its base: what a rewrite of layers must fetch. */
const OWN = 5_000_000

beforeAll(async () => {
  rig = await LineRig.create()
  await dockerfile('COPY app.txt /app.txt')
  await rig.workspace.write('app.txt', 'one')
  const cache = `type=registry,ref=${rig.registry}/lazy:cache,mode=max`
  const first = await rig.run(inputs('one', { 'cache-to': cache, 'cache-from': 'off' }))
  expect(first.exitCode).toBe(0)
}, 5 * minutes)
beforeEach(async () => {
  await dockerfile('COPY app.txt /app.txt')
  await rig.workspace.write('app.txt', 'one')
  await rig.services.emptyBuilder()
})
afterAll(() => rig.close(), minutes)

/** Layers of 3 MB and 2 MB on a base image of tens of MB, then the step that a row is about. */
async function dockerfile(last: string): Promise<void> {
  const own = 'RUN head -c 3000000 /dev/urandom > /a\nRUN head -c 2000000 /dev/urandom > /b'
  await rig.workspace.write('Dockerfile', `FROM python:3.11-slim\n${own}\n${last}\n`)
}

/** A build as it is written, from the cache of the first one, unless a row says otherwise. */
function inputs(tag: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return rig.inputs(`lazy:${tag}`, {
    'optimize-layers': 'false',
    check: 'off',
    'cache-from': `type=registry,ref=${rig.registry}/lazy:cache`,
    'cache-to': 'off',
    provenance: 'false',
    ...more,
  })
}

/** What the summary's table says: for whom, and the hint. */
function pulledFor({ summary }: JobRun): readonly (readonly string[])[] {
  const [, rows = ''] = /### Pulled by the builder\n\n.*\n.*\n((?:\|.*\n)*)/.exec(summary) ?? []
  return rows
    .trim()
    .split('\n')
    .filter((row) => row !== '')
    .map((row) =>
      row
        .slice(2, -2)
        .replaceAll(/<\/?code>/g, '')
        .split(' | '),
    )
    .map(([by = '', , , , hint = '']) => [by, hint])
}

describe('on an emptied builder, with all cached', () => {
  test.each<readonly [string, () => Readonly<Record<string, string>>]>([
    ['a new tag in the same repository', () => ({})],
    ['another repository of the registry', () => ({ tags: `${rig.registry}/lazy-other:two` })],
    ['the cache exported again', () => ({ 'cache-to': `type=registry,ref=${rig.registry}/lazy:again,mode=max` })],
    ['provenance with mode=max', () => ({ provenance: 'mode=max' })],
    ['another compression that is not forced', () => ({ compression: 'gzip' })],
  ])('%s pulls nothing', async (_, more) => {
    const run = await rig.run(inputs('two', more()))
    expect([run.exitCode, pulledFor(run)]).toEqual([0, []])
    expect(run.traffic.pulledBytes).toBeLessThan(100_000)
    expect(run.traffic.pushedBytes).toBeLessThan(100_000)
  })

  test.each<
    readonly [string, string, RegExp, Readonly<Record<string, string>>, Readonly<Record<string, string>>, string]
  >([
    ['force-compression', 'own', /Leave.*force-compression/, { compression: 'gzip' }, {}, ',force-compression=true'],
    [
      'rewrite-timestamp',
      'own',
      /Leave.*rewrite-timestamp/,
      {},
      { SOURCE_DATE_EPOCH: '1700000000' },
      ',rewrite-timestamp=true',
    ],
  ])('%s pulls the layers that it rewrites', async (_, __, hint, more, env, attributes) => {
    const output = `type=image,push=true,name=${rig.registry}/lazy:rewritten,compression=${more.compression ?? 'zstd'}${attributes}`
    const run = await rig.run({ ...inputs('two'), tags: '', push: 'false', outputs: output }, env)
    expect(run.exitCode).toBe(0)
    expect(pulledFor(run)).toEqual([['exporting to image', expect.stringMatching(hint)]])
    expect(run.traffic.pulledBytes).toBeGreaterThan(OWN)
  })

  test('an output to a file pulls the whole image, and is told', async () => {
    const output = `type=oci,dest=${rig.workspace.temp}/image.tar`
    const run = await rig.run({ ...inputs('two'), tags: '', push: 'false', outputs: output })
    expect(pulledFor(run)).toEqual([['exporting to oci image format', expect.stringMatching(/^Push to a registry/)]])
    expect(run.traffic.pulledBytes).toBeGreaterThan(4 * OWN)
  })

  test('a scan for an SBOM pulls the whole image, and is told', async () => {
    const run = await rig.run(inputs('sbom', { sbom: `generator=${rig.registry}/base/python:3.11-slim` }))
    expect(pulledFor(run)).toEqual([[expect.stringContaining('generating sbom'), expect.stringMatching(/sbom/)]])
    expect(run.traffic.pulledBytes).toBeGreaterThan(4 * OWN)
  })

  test(
    'another registry pulls the whole image once; when it has the layers, nothing',
    async () => {
      const other = await startServices({ stateDir: `${rig.services.stateDir}-other` })
      try {
        const output = `type=image,push=true,registry.insecure=true,name=${other.registry}/lazy:one`
        const away = { ...inputs('two'), tags: '', push: 'false', outputs: output }
        const first = await rig.run(away)
        expect(pulledFor(first)).toEqual([['exporting to image', expect.stringMatching(/in one registry/)]])
        expect(first.traffic.pulledBytes).toBeGreaterThan(4 * OWN)
        await rig.services.emptyBuilder()
        const second = await rig.run(away)
        expect(pulledFor(second)).toEqual([])
        expect(second.traffic.pulledBytes).toBeLessThan(100_000)
      } finally {
        await other.stop()
      }
    },
    minutes,
  )
})

describe('on an emptied builder, with the last step changed', () => {
  test('a COPY --link pulls nothing, and its layer is what was pushed', async () => {
    await dockerfile('COPY --link app.txt /app.txt')
    await rig.workspace.write('app.txt', 'two')
    const run = await rig.run(inputs('two'))
    expect(pulledFor(run)).toEqual([])
    expect(run.traffic.pulledBytes).toBeLessThan(100_000)
    expect(run.summary).toMatch(/### Pushed\n\n.*\n.*\n.*COPY --link app\.txt .app\.txt<.code> \| \d+ B \|/)
  })

  test('a plain COPY pulls everything below, with a hint at its line; fail-on-pull-over fails for it', async () => {
    await rig.workspace.write('app.txt', 'two')
    const run = await rig.run(inputs('two', { 'fail-on-pull-over': '10MB' }))
    expect(pulledFor(run)).toEqual([
      [expect.stringMatching(/ COPY app\.txt .app\.txt$/), expect.stringContaining('COPY --link')],
    ])
    expect(run.traffic.pulledBytes).toBeGreaterThan(4 * OWN)
    const [remark, complaint, ...others] = run.annotations
    expect(remark).toMatchObject({ level: 'warning', file: 'Dockerfile', line: 4 })
    expect(complaint?.message).toMatch(/^E_PULLED: the builder pulled .* MB.*COPY app.txt.*allows 10.0 MB/)
    expect(others).toEqual([])
    expect([run.exitCode, run.outputs.get('digest')]).toEqual([1, expect.stringMatching(/^sha256:/)])
  })

  test('a RUN on top pulls everything below, and is told to stand elsewhere', async () => {
    await dockerfile('RUN echo hello > /hello')
    const run = await rig.run(inputs('two', { 'fail-on-pull-over': '1GB' }))
    expect(pulledFor(run)).toEqual([
      [expect.stringContaining('RUN echo hello'), expect.stringContaining('stage of its own')],
    ])
    expect(run.exitCode).toBe(0)
  })

  test('an image made of settings and a COPY --link pulls nothing, without any cache', async () => {
    const text = `FROM ${rig.registry}/lazy:one\nENV A=1\nLABEL b=2\nCOPY --link app.txt /other\n`
    await rig.workspace.write('Dockerfile', text)
    const run = await rig.run(inputs('settings', { 'cache-from': 'off' }))
    expect([run.exitCode, pulledFor(run)]).toEqual([0, []])
    expect(run.traffic.pulledBytes).toBeLessThan(100_000)
  })
})
