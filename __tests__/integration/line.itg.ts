import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ActionRig } from '../support/action-rig.ts'
import { ONE_LIGHT_MORE, REQUIREMENTS, writeProject } from '../support/line-project.ts'
import { type JobRun, LineRig, movedBytes } from '../support/line-rig.ts'
import { dependencyLayers, digestOfTag, type OciImage, readImage, removeImage, tagsOf } from '../support/oci-image.ts'

const minutes = 60_000
const base = 'base/hub:1'
let rig: LineRig
let repository: string
/** The first build, and the image that it made. */
let cold: JobRun
let image: OciImage

beforeAll(async () => {
  rig = await LineRig.create()
  repository = `${rig.services.registry}/app`
  await rig.hubBase(1)
  await rig.hubBase(2)
  await writeProject(rig.workspace)
  await rig.services.emptyBuilder()
  cold = await rig.run(inputs('v1'))
  image = await readImage(repository, 'v1')
}, 10 * minutes)
afterEach(() => {
  rig.standIn = undefined
})
afterAll(() => rig.close(), minutes)

function inputs(tag: string, more: Readonly<Record<string, string>> = {}, from = base): Record<string, string> {
  return rig.inputs(`app:${tag}`, more, from)
}

const IMPORTS = 'python -c "import numpy, six, idna, certifi; print(\'sum\', numpy.arange(4).sum())"'

describe('a first build', () => {
  test(
    'makes an image in which everything can be imported and the program runs',
    async () => {
      const output = await rig.runInside(`${rig.registry}/app:v1`, `${IMPORTS} && cd /app && python src/main.py && pwd`)
      expect(output).toMatch(/^sum 6$/m)
      expect(output).toMatch(/^generation 1$/m)
      expect(await rig.runInside(`${rig.registry}/app:v1`, 'pwd')).toBe('/app\n')
    },
    minutes,
  )

  test('sets every output', async () => {
    expect(cold.exitCode).toBe(0)
    expect(cold.outputs.get('digest')).toBe(image.digest)
    expect(cold.outputs.get('imageid')).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(cold.outputs.get('image')).toBe(`${rig.registry}/app@${image.digest}`)
    expect(cold.outputs.get('content-key')).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect([cold.outputs.get('cache-hit'), cold.outputs.get('skipped')]).toEqual(['false', 'false'])
    expect(JSON.parse(cold.outputs.get('metadata') ?? '')).toMatchObject({ 'containerimage.digest': image.digest })
    const plan: { packages: string[]; stage: number }[] = JSON.parse(cold.outputs.get('plan') ?? '')
    expect(plan.flatMap(({ packages }) => packages).sort()).toEqual(REQUIREMENTS.trim().split('\n').sort())
    expect(plan.map(({ packages }) => packages)).toContainEqual(['numpy==2.4.0'])
    expect(await readFile(cold.outputs.get('dockerfile') ?? '', 'utf8')).toContain(' AS image-cache-deps-0-1\n')
  })

  test('shows the rewritten Dockerfile in a folded group, and layers and a timeline in the summary', () => {
    const [, folded = ''] = /::group::The Dockerfile that was built\n([\s\S]*?)::endgroup::/.exec(cold.stdout) ?? []
    expect(folded).toContain(' AS image-cache-deps-0-1\n')
    expect(cold.summary).toContain('| numpy | numpy 2.4.0 |')
    expect(cold.summary).toContain('```mermaid\n')
    expect(cold.annotations).toEqual([])
  })

  test('pushes each layer of dependencies as zstd, and a tag of the content beside the user’s', async () => {
    const layers = dependencyLayers(image)
    expect(layers).toHaveLength(JSON.parse(cold.outputs.get('plan') ?? '').length)
    for (const { mediaType } of layers) expect(mediaType).toMatch(/tar\+zstd$/)
    const size = layers.reduce((sum, layer) => sum + layer.size, 0)
    const { pushed } = movedBytes(cold.traffic, layers)
    // Push and cache export run side by side and don't know of each other: what both begin at once goes twice.
    expect(pushed).toBeGreaterThanOrEqual(size)
    expect(pushed).toBeLessThanOrEqual(2 * size)
    const key = cold.outputs.get('content-key')?.slice('sha256:'.length)
    expect(await digestOfTag(repository, `content-${key}`)).toBe(image.digest)
  })
})

describe('a second build of the same content', () => {
  test('is skipped with its tags put, where there is no builder at all', async () => {
    const run = await rig.run(inputs('v2'), { PATH: rig.workspace.bin })
    expect(run.exitCode).toBe(0)
    expect(run.outputs.get('skipped')).toBe('true')
    expect(run.outputs.get('digest')).toBe(image.digest)
    expect(run.outputs.get('content-key')).toBe(cold.outputs.get('content-key'))
    expect(await digestOfTag(repository, 'v2')).toBe(image.digest)
    expect(movedBytes(run.traffic, image.layers)).toEqual({ pulled: 0, pushed: 0 })
    expect(run.annotations).toEqual([])
  })

  test('is found by the tag of its content where there is no record', async () => {
    const run = await rig.run(inputs('v3', { store: 'off' }), { PATH: rig.workspace.bin })
    expect([run.exitCode, run.outputs.get('skipped')]).toEqual([0, 'true'])
    expect(await digestOfTag(repository, 'v3')).toBe(image.digest)
  })

  test(
    'is built with force, with check off and with another salt, from the layers that are there',
    async () => {
      for (const more of [{ force: 'true' }, { check: 'off' }, { salt: 'other' }]) {
        const run = await rig.run(inputs('again', more))
        expect([run.exitCode, run.outputs.get('skipped')]).toEqual([0, 'false'])
        expect(dependencyLayers(await readImage(repository, 'again'))).toEqual(dependencyLayers(image))
      }
    },
    minutes,
  )

  test('asks the registry alone with check-ttl 0', async () => {
    const before = rig.cache.counts().GetCacheEntryDownloadURL
    const run = await rig.run(inputs('v4', { 'check-ttl': '0' }))
    expect(run.outputs.get('skipped')).toBe('true')
    expect(rig.cache.counts().GetCacheEntryDownloadURL).toBe(before)
  })
})

/** Builds on an emptied builder and tells which layers of dependencies are new and what went over the wire for the old. */
async function change(
  tag: string,
  from = base,
): Promise<{ run: JobRun; fresh: number; moved: object; after: OciImage }> {
  await rig.services.emptyBuilder()
  const run = await rig.run(inputs(tag, {}, from))
  if (run.exitCode !== 0) throw new Error(run.stdout + run.stderr)
  const after = await readImage(repository, tag)
  const old = new Set(dependencyLayers(image).map(({ digest }) => digest))
  const fresh = dependencyLayers(after).filter(({ digest }) => !old.has(digest)).length
  return { run, fresh, moved: movedBytes(run.traffic, dependencyLayers(image)), after }
}

describe('a change, on an emptied builder', () => {
  const nothing = { pulled: 0, pushed: 0 }

  test(
    'of the source rebuilds no layer of dependencies and moves none of their bytes',
    async () => {
      await rig.workspace.write('src/main.py', 'import numpy\nprint("generation 2")\n')
      const { run, fresh, moved, after } = await change('source')
      expect({ fresh, moved }).toEqual({ fresh: 0, moved: nothing })
      expect(run.outputs.get('skipped')).toBe('false')
      expect(run.summary).not.toContain('🔨 built')
      // Neither base nor installer are needed: manifests, configurations and the source's layer alone.
      expect(run.traffic.pulledBytes).toBeLessThan(100_000)
      expect(await rig.runInside(`${rig.registry}/app@${after.digest}`, 'python /app/src/main.py')).toMatch(
        /^generation 2$/m,
      )
    },
    minutes,
  )

  test(
    'of the base image rebuilds no layer of dependencies and moves none of their bytes',
    async () => {
      const { run, fresh, moved, after } = await change('patched', 'base/hub:2')
      expect({ fresh, moved }).toEqual({ fresh: 0, moved: nothing })
      expect(run.traffic.pulledBytes).toBeLessThan(100_000)
      expect(run.summary).not.toContain('🔨 built')
      const output = await rig.runInside(
        `${rig.registry}/app@${after.digest}`,
        `cat /etc/base-image-patch && ${IMPORTS}`,
      )
      expect(output).toMatch(/^2\n[\s\S]*^sum 6$/m)
    },
    minutes,
  )

  test(
    'of one light package builds its layer and reuses the heavy one without pulling it',
    async () => {
      await rig.workspace.write('requirements.txt', ONE_LIGHT_MORE)
      const { run, fresh, moved, after } = await change('light')
      expect({ fresh, moved }).toEqual({ fresh: 1, moved: nothing })
      expect(run.summary.match(/🔨 built/g)).toHaveLength(1)
      const [heavy] = [...dependencyLayers(image)].sort((a, b) => b.size - a.size)
      expect(after.layers).toContainEqual(expect.objectContaining({ digest: heavy?.digest }))
      const output = await rig.runInside(
        `${rig.registry}/app@${after.digest}`,
        `${IMPORTS} && pip check && python -c "import packaging"`,
      )
      expect(output).toMatch(/No broken requirements found/)
    },
    minutes,
  )
})

describe('an image that was removed from the registry', () => {
  test(
    'is built again, its record dropped with a warning and replaced',
    async () => {
      const gone = await readImage(repository, 'light')
      await removeImage(repository, gone.digest)
      const run = await rig.run(inputs('light'))
      expect([run.exitCode, run.outputs.get('skipped')]).toEqual([0, 'false'])
      expect(run.annotations).toMatchObject([{ level: 'warning', message: expect.stringContaining('gone') }])
      const built = await digestOfTag(repository, 'light')
      expect(built).toBe(run.outputs.get('digest'))
      const next = await rig.run(inputs('light'), { PATH: rig.workspace.bin })
      expect([next.outputs.get('skipped'), next.outputs.get('digest')]).toEqual(['true', built])
      expect(next.annotations).toEqual([])
    },
    minutes,
  )
})

describe('what is not to be changed', () => {
  test(
    'a Dockerfile without Python installs is built as it is written',
    async () => {
      const text = 'FROM python:3.11-slim\nRUN echo plain > /plain\n\n# The end.\n'
      await rig.workspace.write('plain/Dockerfile', text)
      const run = await rig.run(rig.inputs('plain:v1', { context: 'plain' }, base))
      expect(run.exitCode).toBe(0)
      expect(await readFile(run.outputs.get('dockerfile') ?? '', 'utf8')).toBe(text)
      expect(run.outputs.get('plan')).toBe('[]')
    },
    minutes,
  )

  test(
    'with optimize-layers false the installs stay one step, and the image works all the same',
    async () => {
      await rig.workspace.write('off/Dockerfile', 'FROM python:3.11-slim\nRUN pip install six==1.17.0\n')
      const run = await rig.run(rig.inputs('off:v1', { context: 'off', 'optimize-layers': 'false' }, base))
      expect(run.exitCode).toBe(0)
      const built = await readFile(run.outputs.get('dockerfile') ?? '', 'utf8')
      expect(built).toBe('FROM python:3.11-slim\nRUN pip install six==1.17.0\n')
      const made = await readImage(`${rig.services.registry}/off`, 'v1')
      expect(dependencyLayers(made)).toEqual([])
      expect(made.layers).toHaveLength(2)
    },
    minutes,
  )

  test(
    'the user’s own caches are used, and no other is written',
    async () => {
      await rig.workspace.write('own/Dockerfile', 'FROM python:3.11-slim\nRUN echo own > /own\n')
      const cache = `type=registry,ref=${rig.registry}/caches:own`
      const own = { context: 'own', 'cache-from': cache, 'cache-to': `${cache},mode=max` }
      const first = await rig.run(rig.inputs('own:v1', own, base))
      expect(first.exitCode).toBe(0)
      expect(await digestOfTag(`${rig.services.registry}/caches`, 'own')).toMatch(/^sha256:/)
      const tags = await tagsOf(`${rig.services.registry}/own`)
      expect(tags.filter((tag) => tag.startsWith('cache'))).toEqual([])
      await rig.services.emptyBuilder()
      const second = await rig.run(rig.inputs('own:v1', { ...own, force: 'true' }, base))
      expect(second.stdout).toMatch(/: 0 steps ran/)
    },
    minutes,
  )

  test(
    'with both caches off none is written',
    async () => {
      const off = { context: 'own', 'cache-from': 'off', 'cache-to': 'off' }
      expect((await rig.run(rig.inputs('uncached:v1', off, base))).exitCode).toBe(0)
      const tags = await tagsOf(`${rig.services.registry}/uncached`)
      expect(tags.filter((tag) => !tag.startsWith('content-'))).toEqual(['v1'])
    },
    minutes,
  )

  test(
    'build arguments, target, labels and compression reach the image',
    async () => {
      const text = 'FROM python:3.11-slim AS wanted\nARG WORD\nRUN echo "$WORD" > /word\nFROM wanted\nRUN false\n'
      await rig.workspace.write('options/Dockerfile', text)
      const more = {
        context: 'options',
        target: 'wanted',
        'build-args': 'WORD=argument',
        labels: 'org.example.team=one',
        compression: 'gzip',
        provenance: 'false',
      }
      const run = await rig.run(rig.inputs('options:v1,options:v2', more, base))
      expect(run.exitCode).toBe(0)
      const made = await readImage(`${rig.services.registry}/options`, 'v2')
      expect(made.labels).toEqual({ 'org.example.team': 'one' })
      expect(made.layers.map(({ mediaType }) => mediaType)).toEqual(Array(2).fill(expect.stringMatching(/tar\+gzip$/)))
      // Without attestations the image itself is under the tag, and its configuration is known.
      expect(run.outputs.get('imageid')).toBe(made.configDigest)
      expect(await rig.runInside(`${rig.registry}/options:v1`, 'cat /word')).toBe('argument\n')
    },
    minutes,
  )
})

test(
  'of two jobs with the same content at once one builds, and the other one waits and only puts its tags',
  async () => {
    const other = await ActionRig.create()
    try {
      const tasks = 'greet: {run: cat words/*.txt > greeting.txt, shell: sh, inputs: words, outputs: greeting.txt}'
      const more = { file: 'both/Dockerfile', serialize: 'true', tasks }
      const step = (tag: string) => ({
        inputs: rig.inputs(`both:${tag}`, more, base),
        env: { ...rig.env(), ...rig.cache.env() },
      })
      await Promise.all([rig.workspace, other].map(writeGreeting))
      const jobs = await Promise.all([rig.workspace.main(step('one')), other.main(step('two'))])
      expect(jobs.map(({ exitCode }) => exitCode)).toEqual([0, 0])
      expect(jobs.map(({ outputs }) => outputs.get('skipped')).sort()).toEqual(['false', 'true'])
      const waiting = jobs.find(({ outputs }) => outputs.get('skipped') === 'true')
      expect(waiting?.stdout).toMatch(/waits for .*, which builds the same content/)
      expect(waiting?.stdout).not.toContain('greet | ')
      const repository = `${rig.services.registry}/both`
      expect(await digestOfTag(repository, 'one')).toBe(await digestOfTag(repository, 'two'))
      expect(await rig.runInside(`${rig.registry}/both:two`, 'cat /greeting')).toBe('hello\n')
    } finally {
      await other.close()
    }
  },
  minutes,
)

/** A project whose build takes long enough for another job to come, and has nothing else in its context. */
async function writeGreeting(workspace: ActionRig): Promise<void> {
  const text = 'FROM python:3.11-slim\nCOPY greeting.txt /greeting\nRUN sleep 3\n'
  await workspace.write('both/Dockerfile', text)
  await workspace.write('both/Dockerfile.dockerignore', '*\n!greeting.txt\n')
  await workspace.write('words/a.txt', 'hello\n')
}
