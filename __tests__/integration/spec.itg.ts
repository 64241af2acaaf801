import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { compareImages } from '../../src/flow/compare-images.ts'
import { nativePlatform } from '../../src/flow/source.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { type Platform, parsePlatform } from '../../src/registry/platform.ts'
import { type ImageReference, parseReference } from '../../src/registry/reference.ts'
import { inputOptions, LineRig } from '../support/line-rig.ts'
import { dependencyLayers, readImage } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

const SPEC = `python: "3.11"
env: {MODE: 'a "quoted" value'}
layers:
  - requirements: deps/requirements.txt
  - script: tool.py
  - copy: [tool.py, src]
    to: ./src/
  - run: [mkdir out, 'echo "$MODE" > out/mode']
ignore: ['**/*.tmp', '*.yml']
user: "1000"
command: [python, src/tool.py]
`
const SCRIPT =
  '# /// script\n# dependencies = ["certifi==2025.11.12"]\n# ///\nimport six, idna, certifi\nprint("tool", six.__version__)\n'

describe('a build from a spec', () => {
  test(
    'makes layers, runs as it says, and is the image that the spec makes without layers',
    async () => {
      await rig.workspace.write('deps/requirements.txt', '-r more.txt\nsix==1.17.0\n')
      await rig.workspace.write('deps/more.txt', 'idna==3.11\n')
      await rig.workspace.write('tool.py', SCRIPT)
      await rig.workspace.write('src/left.tmp', 'x')
      await rig.workspace.write('src/main.py', 'x = 1\n')
      await rig.workspace.write('image.yml', SPEC)
      await rig.workspace.write('plain.yml', `${SPEC}optimize-layers: false\n`)

      const { report } = await build('image.yml', 'layers')
      await build('plain.yml', 'plain')
      const rewritten = report.dockerfileSteps.filter(({ what }) => what === 'rewritten')
      expect(rewritten.map(({ text }) => text.replace(/.*pip install/, 'pip install'))).toEqual([
        'pip install --no-cache-dir -r /tmp/context/deps/requirements.txt',
        'pip install --no-cache-dir certifi==2025.11.12',
      ])
      expect(dependencyLayers(await readImage(`${rig.services.registry}/spec`, 'layers')).length).toBeGreaterThan(1)
      expect(dependencyLayers(await readImage(`${rig.services.registry}/spec`, 'plain'))).toEqual([])
      const { files, config } = await compareImages(named('layers'), named('plain'), platform(), new HttpRegistry())
      expect({ files, config }).toEqual({ files: [], config: [] })
      const output = await rig.runInside(`${rig.registry}/spec:layers`, 'python src/tool.py; cat out/mode; ls src')
      expect(output).toContain('tool 1.17.0\na "quoted" value\nmain.py\ntool.py\n')
    },
    4 * minutes,
  )

  test(
    'is not made again where the spec says the same, and is where it says something else',
    async () => {
      const key = async (): Promise<string> => {
        const options = inputOptions(inputs('image.yml', 'layers'))
        const { exitCode, stdout, stderr } = await rig.command('key', '.', ...options, '--json')
        if (exitCode !== 0) throw new Error(stderr)
        return JSON.parse(stdout).key
      }
      const before = await key()
      expect(before).toMatch(/^sha256:/)
      await rig.workspace.write('image.yml', `# a remark\n${SPEC}`)
      expect(await key()).toBe(before)
      await rig.workspace.write('image.yml', SPEC.replace('3.11"\n', '3.11"\nworkdir: /srv\n'))
      expect(await key()).not.toBe(before)
    },
    minutes,
  )

  test(
    'tells all that is wrong with it, and builds nothing',
    async () => {
      const run = await rig.command('build', '.', '--spec', 'python: 3.10\nlayers: [{pip: six}]', '--file', 'x')
      expect(run.exitCode).not.toBe(0)
      expect(run.stderr).toContain('spec: ')
      expect(run.stderr).toContain('E_INPUT')
    },
    minutes,
  )
})

function inputs(spec: string, tag: string): Readonly<Record<string, string>> {
  const from = (path: string): string => `docker-image://${rig.registry}/${path}`
  return rig.inputs(`spec:${tag}`, {
    'build-contexts': [`python:3.11-slim=${from('base/python:3.11-slim')}`].join('\n'),
    spec,
    check: 'off',
    'cache-from': 'off',
    'cache-to': 'off',
    provenance: 'false',
  })
}

interface Built {
  readonly report: { readonly dockerfileSteps: readonly { readonly what: string; readonly text: string }[] }
}

async function build(spec: string, tag: string): Promise<Built> {
  const options = inputOptions(inputs(spec, tag))
  const { exitCode, stdout, stderr } = await rig.command('build', '.', ...options, '--json')
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

function named(tag: string): ImageReference {
  const reference = parseReference(`${rig.services.registry}/spec:${tag}`)
  if (typeof reference === 'string') throw new Error(reference)
  return reference
}

function platform(): Platform {
  const parsed = parsePlatform(nativePlatform())
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}
