import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { parseReference } from '../../src/registry/reference.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { ONE_LIGHT_MORE, writeProject } from '../support/line-project.ts'
import { inputOptions, LineRig, movedBytes, type TrafficSnapshot } from '../support/line-rig.ts'
import {
  dependencyLayers,
  digestOfTag,
  type OciImage,
  type OciLayer,
  readImage,
  removeBlob,
  tagsOf,
} from '../support/oci-image.ts'

const minutes = 60_000
const IMPORTS = 'python -c "import numpy, six, idna, certifi; print(\'sum\', numpy.arange(4).sum())"'
const [os, architecture] = ['linux', process.arch === 'arm64' ? 'arm64' : 'amd64']

/** What one build did. */
interface Composed {
  readonly report: BuildReport
  readonly image: OciImage
  readonly traffic: TrafficSnapshot
  /** Names of groups that were installed. */
  readonly installed: readonly string[]
}

/** Builds with the command line on an emptied builder. */
async function compose(rig: LineRig, inputs: Readonly<Record<string, string>>): Promise<Composed> {
  await rig.services.emptyBuilder()
  const run = await rig.command('build', '.', '--json', '--force', ...inputOptions(inputs))
  if (run.exitCode !== 0) throw new Error(run.stderr)
  const { report }: { report: BuildReport } = JSON.parse(run.stdout)
  const [, path = '', tag = ''] = /^[^/]+\/([^:,]+):([^:,]+)/.exec(inputs.tags ?? '') ?? []
  return {
    report,
    image: await readImage(`${rig.services.registry}/${path}`, tag),
    traffic: run.traffic,
    installed: ran(report).filter((stage) => stage.startsWith('image-cache-deps-')),
  }
}

function ran({ timeline }: BuildReport): readonly string[] {
  return (timeline?.executedRuns ?? []).flatMap(({ kind, stage }) => (kind === 'run' && stage ? [stage] : []))
}

const nothing = { pulled: 0, pushed: 0 }

describe.each(['v0.33.1', 'v0.27.1'] as const)('composed images, each build on an emptied builder %s', (buildkit) => {
  let rig: LineRig
  let cold: Composed
  /** Layers of dependencies so far, by digest. */
  const known = new Map<string, OciLayer>()

  beforeAll(async () => {
    rig = await LineRig.create({ buildkit })
    await writeProject(rig.workspace)
    await rig.hubBase(1)
    await rig.hubBase(2)
    cold = await next('base/hub:1')
  }, 10 * minutes)
  afterAll(() => rig.close(), minutes)

  async function next(base: string, more: Readonly<Record<string, string>> = {}): Promise<Composed> {
    const made = await compose(rig, rig.inputs('app:v1', { ...more }, base))
    for (const layer of dependencyLayers(made.image)) known.set(layer.digest, layer)
    return made
  }

  /** Bytes of dependencies that were known before and moved. */
  async function moved(build: () => Promise<Composed>): Promise<{ made: Composed; bytes: object; fresh: number }> {
    const before = [...known.values()]
    const made = await build()
    const fresh = dependencyLayers(made.image).filter(({ digest }) => !before.some((old) => old.digest === digest))
    return { made, bytes: movedBytes(made.traffic, before), fresh: fresh.length }
  }

  test('are chosen without being asked for, install every group once and push each layer once', () => {
    expect(cold.report.checks).toContainEqual(
      expect.objectContaining({ what: 'assembly', detail: expect.stringContaining('composed: ') }),
    )
    expect(cold.report.publish?.plan).toBe('composed')
    const layers = dependencyLayers(cold.image)
    expect(layers.length).toBeGreaterThan(1)
    expect(cold.installed).toHaveLength(layers.length)
    const size = layers.reduce((sum, layer) => sum + layer.size, 0)
    expect(movedBytes(cold.traffic, layers)).toEqual({ pulled: 0, pushed: size })
  })

  test(
    'have the files, the configuration and the history of the linked build, and the same layers of dependencies',
    async () => {
      const linked = await rig.command(
        'build',
        '.',
        '--json',
        ...inputOptions(rig.inputs('linked:v1', { assemble: 'linked' }, 'base/hub:1')),
      )
      expect(linked.exitCode).toBe(0)
      const [expected, made] = [await readImage(`${rig.services.registry}/linked`, 'v1'), cold.image]
      expect(dependencyLayers(made).map(({ digest }) => digest)).toEqual(
        dependencyLayers(expected).map(({ digest }) => digest),
      )
      expect(made.layers.map(({ createdBy }) => createdBy)).toEqual(expected.layers.map(({ createdBy }) => createdBy))
      const [a, b] = [await configOf(rig, 'app:v1'), await configOf(rig, 'linked:v1')]
      expect(a).toEqual(b)
      expect(await filesOf(rig, 'app:v1')).toEqual(await filesOf(rig, 'linked:v1'))
      const output = await rig.runInside(
        `${rig.registry}/app:v1`,
        `${IMPORTS} && cd /app && python src/main.py && pip check`,
      )
      expect(output).toMatch(/sum 6\n/)
      expect(output).toMatch(/generation 1\n/)
      expect(output).toMatch(/No broken requirements found/)
    },
    5 * minutes,
  )

  test(
    'need no builder where nothing changed but the base image',
    async () => {
      const { made, bytes, fresh } = await moved(() => withoutBuilder('base/hub:2'))
      expect({ bytes, fresh, steps: made.report.timeline?.steps ?? [] }).toEqual({
        bytes: nothing,
        fresh: 0,
        steps: [],
      })
      expect(made.traffic.pulledBytes).toBeLessThan(100_000)
    },
    2 * minutes,
  )

  async function withoutBuilder(base: string): Promise<Composed> {
    rig.hasBuilder = false
    try {
      return await next(base)
    } finally {
      rig.hasBuilder = true
    }
  }

  test(
    'build the layer of a changed source and nothing else',
    async () => {
      await rig.workspace.write('src/main.py', 'import numpy\nprint("generation 2")\n')
      const { made, bytes, fresh } = await moved(() => next('base/hub:2'))
      expect({ bytes, fresh, installed: made.installed }).toEqual({ bytes: nothing, fresh: 0, installed: [] })
      expect(made.traffic.pulledBytes).toBeLessThan(100_000)
      expect(made.traffic.pushedBytes).toBeLessThan(100_000)
    },
    2 * minutes,
  )

  // No cache of BuildKit's is asked for groups, so what follows is the same with every version.
  if (buildkit === 'v0.33.1') {
    test(
      'install one group for one light package more, and move nothing of the others',
      async () => {
        await rig.workspace.write('requirements.txt', ONE_LIGHT_MORE)
        const { made, bytes, fresh } = await moved(() => next('base/hub:2'))
        expect({ bytes, fresh, installed: made.installed.length }).toEqual({ bytes: nothing, fresh: 1, installed: 1 })
        expect(made.report.layers.filter(({ state }) => state === 'built')).toHaveLength(1)
      },
      2 * minutes,
    )

    test(
      'move nothing in the generations that follow',
      async () => {
        for (const base of ['base/hub:2', 'base/hub:1', 'base/hub:2']) {
          const { made, bytes, fresh } = await moved(() => next(base))
          expect({ bytes, fresh, ran: ran(made.report) }).toEqual({ bytes: nothing, fresh: 0, ran: [] })
        }
      },
      2 * minutes,
    )

    test(
      'run, whatever they were put together from',
      async () => {
        const command = `cat /etc/base-image-patch && ${IMPORTS} && python src/main.py && pip check && pwd`
        const output = await rig.runInside(`${rig.registry}/app:v1`, command)
        expect(output).toMatch(/^2\nsum 6\ngeneration 2\nNo broken requirements found\.\n\/app\n/)
      },
      2 * minutes,
    )

    test(
      'find groups by their tags where the store remembers nothing',
      async () => {
        const { made, bytes } = await moved(() => next('base/hub:2', { store: 'off' }))
        expect({ bytes, installed: made.installed }).toEqual({ bytes: nothing, installed: [] })
      },
      2 * minutes,
    )

    test(
      'install a group again whose layer was deleted between the check and the PUT',
      async () => {
        const layers = dependencyLayers((await next('base/hub:2')).image)
        const [smallest] = [...layers].sort((a, b) => a.size - b.size)
        await removeBlob(`${rig.services.registry}/app`, smallest?.digest ?? '')
        const made = await next('base/hub:1', { store: 'off' })
        expect(made.installed).toHaveLength(1)
        // The image itself remembers the last plan's order.
        expect(dependencyLayers(made.image).map(({ digest }) => digest)).toEqual(layers.map(({ digest }) => digest))
        await rig.runInside(`${rig.registry}/app:v1`, IMPORTS)
      },
      3 * minutes,
    )

    test(
      'share groups in a repository of layers: a second service builds and pushes none of them',
      async () => {
        const shared = { 'layers-repository': `${rig.registry}/layers` }
        const one = await compose(rig, rig.inputs('one:v1', shared, 'base/hub:1'))
        expect(one.installed.length).toBeGreaterThan(1)
        await rig.workspace.write('src/main.py', 'import numpy\nprint("another service")\n')
        const two = await compose(rig, rig.inputs('two:v1', shared, 'base/hub:2'))
        expect(two.installed).toEqual([])
        expect(movedBytes(two.traffic, dependencyLayers(one.image))).toEqual(nothing)
        expect(dependencyLayers(two.image).map(({ digest }) => digest)).toEqual(
          dependencyLayers(one.image).map(({ digest }) => digest),
        )
        const tags = await tagsOf(`${rig.services.registry}/layers`)
        expect(tags.filter((tag) => tag.startsWith('group-'))).toHaveLength(one.installed.length)
        expect(await rig.runInside(`${rig.registry}/two:v1`, 'python src/main.py')).toMatch(/another service\n/)
      },
      3 * minutes,
    )

    test(
      'go under every tag of every repository, with the tag of the content',
      async () => {
        const made = await compose(rig, rig.inputs('app:v1,app:v2,mirror:v2', {}, 'base/hub:1'))
        const { registry } = rig.services
        expect(await digestOfTag(`${registry}/app`, 'v2')).toBe(made.image.digest)
        expect(await digestOfTag(`${registry}/mirror`, 'v2')).toBe(made.image.digest)
        expect((await tagsOf(`${registry}/mirror`)).filter((tag) => tag.startsWith('content-'))).toHaveLength(1)
        await rig.runInside(`${rig.registry}/mirror:v2`, IMPORTS)
      },
      2 * minutes,
    )

    test(
      'stand on an ordinary image where steps before the installs need files, with files of another stage on top',
      async () => {
        const text = `FROM python:3.11-slim AS made
RUN mkdir /dist && echo from a stage > /dist/file
FROM python:3.11-slim
ENV A=1
RUN ldconfig && useradd --create-home worker
WORKDIR /srv/code
RUN pip install six==1.17.0 idna==3.11
COPY --from=made /dist/ ./dist/
COPY --chown=0:0 src ./src
ENV B=$A
USER worker
CMD ["python", "src/main.py"]
`
        await rig.workspace.write('Dockerfile', text)
        const build = (to: string, assemble: string) => compose(rig, rig.inputs(`${to}:v1`, { assemble }, 'base/hub:1'))
        const made = await build('below', 'composed')
        expect(made.report.publish?.plan).toBe('composed')
        expect([...ran(made.report)].sort()).toEqual([
          'image-cache-below',
          'image-cache-deps-1-1',
          'image-cache-deps-1-2',
          'made',
        ])
        await build('below-linked', 'linked')
        expect(await configOf(rig, 'below:v1')).toEqual(await configOf(rig, 'below-linked:v1'))
        expect(await filesOf(rig, 'below:v1')).toEqual(await filesOf(rig, 'below-linked:v1'))
        const again = await build('below', 'composed')
        expect(ran(again.report)).toEqual([])
        expect(movedBytes(again.traffic, made.image.layers)).toEqual(nothing)
      },
      4 * minutes,
    )

    test(
      'are compared with the Dockerfile as it is written before they get their tags, where that is asked for',
      async () => {
        const { registry } = rig.services
        const install = (name: string) =>
          rig.workspace.write('Dockerfile', `FROM python:3.11-slim\nRUN pip install ${name}\n`)
        await install('six==1.17.0')
        const more = { verify: 'true', store: 'off', provenance: 'false' }
        const made = await compose(rig, rig.inputs('verified:v1', more, 'base/hub:1'))
        expect(made.report.checks).toContainEqual(
          expect.objectContaining({ what: 'verify', detail: expect.stringContaining('verified: ') }),
        )
        // The tag of one group is put on the layer of another: whoever may push there decides what layers hold.
        const [first = ''] = (await tagsOf(`${registry}/verified`)).filter((tag) => tag.startsWith('group-'))
        await install('idna==3.11')
        await compose(rig, rig.inputs('verified:v2', { ...more, verify: 'false' }, 'base/hub:1'))
        const tags = (await tagsOf(`${registry}/verified`)).filter((tag) => tag.startsWith('group-') && tag !== first)
        const at = { registry, path: 'verified' }
        const raw = await new HttpRegistry().manifest({ ...at, tag: first })
        if (raw === undefined) throw new Error('the first group has no manifest')
        for (const tag of tags) await new HttpRegistry().putManifest({ ...at, tag }, raw)
        const inputs = rig.inputs('verified:v3', more, 'base/hub:1')
        const { exitCode, stderr } = await rig.command('build', '.', '--json', '--force', ...inputOptions(inputs))
        expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('E_VERIFY') })
        expect(await tagsOf(`${registry}/verified`)).not.toContain('v3')
      },
      3 * minutes,
    )

    test(
      'carry provenance and an SBOM that buildx shows',
      async () => {
        await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN pip install six==1.17.0\n')
        await compose(rig, rig.inputs('said:v1', { sbom: 'true', provenance: 'mode=max' }, 'base/hub:1'))
        const show = async (what: string): Promise<string> => {
          const shown = await rig.buildx(
            'imagetools',
            'inspect',
            `${rig.registry}/said:v1`,
            '--format',
            `{{ json .${what} }}`,
          )
          expect(shown.exitCode).toBe(0)
          return shown.stdout
        }
        expect(await show('Provenance')).toContain('pkg:pypi/six@1.17.0')
        expect(await show('SBOM')).toContain('pkg:pypi/six@1.17.0')
        await compose(rig, rig.inputs('silent:v1', { provenance: 'false' }, 'base/hub:1'))
        const { configDigest, digest } = await readImage(`${rig.services.registry}/silent`, 'v1')
        expect(configDigest).not.toBe(digest)
        expect(await show('Manifest.Digest')).toMatch(/^"sha256:/)
      },
      2 * minutes,
    )
  }
})

/** The configuration without layers and times. */
async function configOf(rig: LineRig, name: string): Promise<unknown> {
  const reference = parseReference(`${rig.registry}/${name}`)
  if (typeof reference === 'string') throw new Error(reference)
  const found = await imageConfig(new HttpRegistry(), reference, { os, architecture })
  if (found.kind !== 'found') throw new Error(`${name} is ${found.kind}`)
  const { created, rootfs, history, ...rest } = Object(found.configJson)
  return rest
}

/** Every path with its type, mode, owner, link target and content. */
async function filesOf(rig: LineRig, name: string): Promise<readonly string[]> {
  const folders = ['proc', 'sys', 'dev', 'run', 'tmp', 'var/tmp', 'etc/resolv.conf', 'etc/hosts', 'etc/hostname']
  const pruned = folders.map((path) => `-path /${path} -prune`).join(' -o ')
  const listed = `find / ${pruned} -o -printf '%p %y %m %U:%G %l\\n'`
  const summed = 'find /app /srv /usr/local /home -type f -exec sha256sum {} +'
  const files = (await rig.runInside(`${rig.registry}/${name}`, `${listed}; ${summed}; exit 0`)).trim().split('\n')
  expect(files.length).toBeGreaterThan(1000)
  return files.sort()
}
