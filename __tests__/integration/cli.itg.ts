import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig
let options: readonly string[]

beforeAll(async () => {
  rig = await LineRig.create()
  await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN pip install six==1.17.0 idna==3.11\n')
  options = Object.entries(rig.inputs('cli:v1')).flatMap(([name, value]) => [`--${name}`, value])
  // Flags take no value.
  options = options.flatMap((word, at) => (options[at - 1] === '--push' ? [] : [word]))
}, 5 * minutes)
afterAll(() => rig.close(), minutes)

describe('image-cache plan', () => {
  test(
    'prints the layers and builds nothing',
    async () => {
      const run = await rig.command('plan', '.', ...options)
      expect(run.exitCode).toBe(0)
      expect(run.stdout).toMatch(/^layer 1 of stage 0: /)
      expect(run.stdout).toContain('six 1.17.0')
      expect(run.stdout).toMatch(/^line 2 .*pip install/m)
      expect(run.stderr).toMatch(/2 layers of 2 packages/)
      expect(await digestOfTag(`${rig.services.registry}/cli`, 'v1')).toBeUndefined()
    },
    minutes,
  )

  test(
    'prints JSON alone with --json',
    async () => {
      const run = await rig.command('plan', '.', '--json', ...options)
      const { layers, steps, dockerfile } = JSON.parse(run.stdout)
      expect(layers.flatMap((layer: { packages: string[] }) => layer.packages).sort()).toEqual([
        'idna==3.11',
        'six==1.17.0',
      ])
      expect(steps).toMatchObject([{ line: 2, what: 'rewritten' }])
      expect(dockerfile).toContain(' AS image-cache-deps-0-1\n')
      const linked = await rig.command('plan', '.', '--json', '--assemble', 'linked', ...options)
      expect(JSON.parse(linked.stdout).dockerfile).toContain('COPY --link --from=image-cache-deps-0-1')
    },
    minutes,
  )
})

describe('image-cache plan, steered and explained', () => {
  test(
    'puts packages into the layers that the user fixed, says why, and draws them',
    async () => {
      const steered = [...options, '--layers', 'six', '--relock', '--max-layer-size', '500MB']
      const run = await rig.command('plan', '.', '--json', '--svg', 'layers.svg', ...steered)
      expect(run.stderr).toMatch(/versions asked of the index/)
      const { layers, packages } = JSON.parse(run.stdout)
      expect(layers[0]).toMatchObject({ packages: ['six==1.17.0'], reason: 'fixed by the input layers: six' })
      expect(packages.map(({ name, layer }: { name: string; layer: number }) => [name, layer])).toEqual([
        ['idna', 2],
        ['six', 1],
      ])
      const picture = await readFile(join(rig.workspace.workspace, 'layers.svg'), 'utf8')
      expect(picture).toContain('<svg')
      expect(picture).toContain('six')
      await rm(join(rig.workspace.workspace, 'layers.svg'))

      const explained = await rig.command('plan', '.', '--explain', 'SIX', ...steered)
      expect(explained.stdout).toMatch(/^six 1\.17\.0 is in layer 1\n {2}fixed by the input layers: six\n/)
      expect(explained.stdout).toMatch(/one more change of it rebuilds and pushes \d+ kB/)
    },
    minutes,
  )

  test(
    'names what there is when asked for a package that no layer has',
    async () => {
      const run = await rig.command('plan', '.', '--explain', 'idna-ssl', ...options)
      expect(run.exitCode).toBe(1)
      expect(run.stderr).toContain('explain: no planned layer has the package "idna-ssl"')
      expect(run.stderr).toContain('These are: idna.')
    },
    minutes,
  )
})

describe('image-cache build', () => {
  test(
    'prints the image on standard output and everything else on standard error',
    async () => {
      const run = await rig.command('build', '.', ...options)
      expect(run.exitCode).toBe(0)
      const digest = await digestOfTag(`${rig.services.registry}/cli`, 'v1')
      expect(run.stdout).toBe(`${rig.registry}/cli@${digest}\n`)
      expect(run.stderr).toContain('built in')
      expect(run.stderr).not.toContain('\u001b[')
    },
    minutes,
  )

  test(
    'finds its own record the next time, and prints outputs and report as JSON with --json',
    async () => {
      const run = await rig.command('build', '.', '--json', ...options)
      expect(run.exitCode).toBe(0)
      const result = JSON.parse(run.stdout)
      expect(result).toMatchObject({ skipped: 'true', 'cache-hit': 'true', report: { outcome: 'skipped' } })
      expect(result.digest).toBe(await digestOfTag(`${rig.services.registry}/cli`, 'v1'))
      expect(result.report.checks).toContainEqual(expect.objectContaining({ what: 'record', outcome: 'found' }))
    },
    minutes,
  )

  test(
    'ends with 1 and an error on standard error when it fails',
    async () => {
      const run = await rig.command('build', 'nowhere', ...options)
      expect(run.exitCode).toBe(1)
      expect(run.stdout).toBe('')
      expect(run.stderr).toMatch(/^error: E_DOCKERFILE: there is no Dockerfile at nowhere\/Dockerfile\n/)
      const wrong = await rig.command('build', '.', '--compression', 'brotli', '--check', 'never')
      expect(wrong.exitCode).toBe(1)
      expect(wrong.stderr).toMatch(/error: E_INPUT: .*"brotli".*"never"/)
    },
    minutes,
  )

  test.each([
    ['an unknown option', ['build', '.', '--colour'], /unknown option '--colour'/],
    ['an unknown command', ['bake'], /unknown command 'bake'/],
    ['no command', [], /Usage: image-cache/],
  ])(
    'ends with 2 for %s',
    async (_, args, message) => {
      const run = await rig.command(...args)
      expect([run.exitCode, run.stdout]).toEqual([2, ''])
      expect(run.stderr).toMatch(message)
    },
    minutes,
  )

  test(
    'ends with 0 for --help, which goes to standard output',
    async () => {
      const run = await rig.command('build', '--help')
      expect([run.exitCode, run.stderr]).toEqual([0, ''])
      expect(run.stdout).toContain('--optimize-layers')
    },
    minutes,
  )
})

test(
  'the library builds, finds, renders and publishes the same image, and ends by itself',
  async () => {
    const settings = { ...rig.inputs('library:v1'), 'build-args': { LIBRARY: '1' } }
    const index = pathToFileURL(join(import.meta.dirname, '../../src/index.ts')).href
    await rig.workspace.write(
      'use.ts',
      `import { buildImage, checkBuild, contentKey, openRegistry, parseReference, publish, renderDockerfile } from '${index}'
const settings = ${JSON.stringify(settings)}
const log = (line: string): void => console.error(line)
const { text, steps, layers } = await renderDockerfile(settings)
const built = await buildImage(settings, { log })
const again = await buildImage(settings)
const { key } = await contentKey(settings)
const { outcome, contentKey: checked } = await checkBuild(settings)
const published = await publish('${rig.registry}/library:v1', ['${rig.registry}/other/library:v2'])
const reference = parseReference('${rig.registry}/other/library:v2')
const there = typeof reference === 'string' ? undefined : await openRegistry().head(reference)
const skipped = [built, again].map(({ outputs }) => outputs.get('skipped'))
const packages = layers.flatMap(({ plan }) => plan.groups.flatMap((group) => group.packages.map(({ name }) => name)))
const isOneKey = key === checked && key === built.outputs.get('content-key')
console.log(JSON.stringify({ rewritten: text !== built.dockerfile, what: steps[0]?.what, skipped, packages, isOneKey, outcome }))
console.log(published.digest === built.outputs.get('digest'), there?.digest === published.digest)
`,
    )
    const run = await rig.program('use.ts')
    expect([run.exitCode, run.stderr]).toEqual([0, expect.stringContaining(`push ${rig.registry}/library`)])
    const [first = '', second] = run.stdout.trim().split('\n')
    expect(JSON.parse(first)).toEqual({
      rewritten: false,
      what: 'rewritten',
      skipped: ['false', 'true'],
      packages: expect.arrayContaining(['six', 'idna']),
      isOneKey: true,
      outcome: 'found',
    })
    expect(second).toBe('true true')
    await rm(join(rig.workspace.workspace, 'use.ts'))
  },
  2 * minutes,
)
