import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

// Every step is a process of its own.
jest.setTimeout(60_000)

describe('the action, when the image may be there already', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
  })
  afterEach(() => scene.close())

  async function job(more: Record<string, string> = {}, env = scene.cache.env()): Promise<ActionResult> {
    const step = { inputs: scene.inputs(more), env }
    const main = await scene.rig.main(step)
    const post = await scene.rig.post(main, step)
    return { ...main, annotations: [...main.annotations, ...post.annotations], stdout: main.stdout + post.stdout }
  }

  test('builds once; the next job finds the record with one look-up and only puts the tags', async () => {
    await scene.builder()
    const first = await job()
    expect(first.exitCode).toBe(0)
    expect(first.outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(1)
    scene.pushed(first)

    const before = { cache: scene.cache.counts(), requests: scene.registry.kinds.length }
    const second = await job({ tags: `${scene.repository}:v2,${scene.repository}:latest` })
    expect(second.exitCode).toBe(0)
    expect(await scene.builds()).toBe(1)
    expect(second.annotations).toEqual([])
    expect(Object.fromEntries(second.outputs)).toEqual({
      'build-record': '',
      digest: scene.image,
      imageid: expect.stringMatching(/^sha256:/),
      metadata: expect.stringContaining(scene.image),
      'content-key': first.outputs.get('content-key'),
      image: `${scene.repository}@${scene.image}`,
      'cache-hit': 'true',
      skipped: 'true',
      plan: '[]',
    })
    for (const tag of ['v2', 'latest']) expect(scene.registry.digestOfTag('team/app', tag)).toBe(scene.image)
    // One look-up and no download: the digest stands in the key. A greeting, to log in where it is asked for; the base's
    // digest; the image, asked for while the record is looked up; its two tags.
    const { GetCacheEntryDownloadURL, download } = scene.cache.counts()
    expect(GetCacheEntryDownloadURL - before.cache.GetCacheEntryDownloadURL).toBe(1)
    expect(download - before.cache.download).toBe(0)
    const kinds = scene.registry.kinds.slice(before.requests)
    expect([...kinds.slice(0, 2)].sort()).toEqual(['GET other', 'HEAD manifests'])
    expect(kinds.slice(2)).toEqual(['GET manifests', 'PUT manifests', 'PUT manifests'])
    expect(second.summary).toContain('skipped')
  })

  test('another salt knows no record', async () => {
    await scene.builder()
    await job()
    const other = await job({ salt: 'other' })
    expect(other.outputs.get('skipped')).toBe('false')
    expect(other.outputs.get('content-key')).not.toBe((await job()).outputs.get('content-key'))
    expect(await scene.builds()).toBe(2)
    const keys = scene.cache.entries().map(({ key }) => key)
    expect(keys.filter((key) => key.includes('-image-'))).toHaveLength(2)
    for (const key of keys) expect(key).not.toContain('other')
  })

  test('without a record the registry is asked by the tag of the content, and the record is written then', async () => {
    await scene.builder()
    const key = (await scene.rig.main({ inputs: scene.inputs(), env: scene.cache.env() })).outputs.get('content-key')
    if (key === undefined || !isDigest(key)) throw new Error('there is no content key')
    scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
    const found = await job()
    expect(found.outputs.get('skipped')).toBe('true')
    expect(found.outputs.get('digest')).toBe(scene.image)
    expect(scene.cache.entries().filter(({ key }) => key.includes('-image-'))).toHaveLength(1)
    const requests = scene.registry.count('HEAD manifests')
    expect((await job()).outputs.get('skipped')).toBe('true')
    // The base's digest alone: the record answers for the image.
    expect(scene.registry.count('HEAD manifests') - requests).toBe(1)
    expect(await scene.builds()).toBe(1)
  })

  test('a record whose image is gone is dropped with a warning, and the image is built', async () => {
    await scene.builder()
    await job()
    scene.registry.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' }, 2)
    const result = await job()
    expect(result.exitCode).toBe(0)
    expect(result.outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(2)
    expect(result.annotations).toMatchObject([{ level: 'warning', message: expect.stringContaining('gone') }])
  })

  test.each([
    ['force', { force: 'true' }],
    ['check off', { check: 'off' }],
    ['no-cache', { 'no-cache': 'true' }],
  ])('%s builds although there is a record', async (_, more) => {
    await scene.builder()
    await job()
    expect((await job(more)).outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(2)
  })

  test('check-ttl 0 believes no record and asks the registry', async () => {
    await scene.builder()
    await job()
    scene.lost()
    const lookUps = scene.cache.counts().GetCacheEntryDownloadURL
    expect((await job({ 'check-ttl': '0' })).outputs.get('skipped')).toBe('false')
    // What the last build was made of, how long it took, and how its push and its cache went.
    expect(scene.cache.counts().GetCacheEntryDownloadURL - lookUps).toBe(3)
  })

  test('a changed file, build argument of the Dockerfile or base image is another content', async () => {
    await scene.builder()
    await job()
    const keyNow = async (more = {}): Promise<string> => {
      const result = await scene.rig.main({ inputs: scene.inputs(more), env: scene.cache.env() })
      return result.outputs.get('content-key') ?? ''
    }
    const keys = [await keyNow()]
    await scene.rig.write('app.py', 'print("changed")\n')
    keys.push(await keyNow())
    keys.push(await keyNow({ target: '', compression: 'gzip' }))
    const base = scene.registry.manifest('base/python', '3.11')
    scene.registry.addManifest('base/python', '3.11', OCI_MANIFEST, { ...Object(base), annotations: { patched: '1' } })
    keys.push(await keyNow())
    expect(new Set(keys).size).toBe(4)
    // An argument that the Dockerfile does not declare changes nothing.
    expect(await keyNow({ 'build-args': 'UNUSED=1' })).toBe(keys[3])
    // Six runs of the action one after another: more than the usual time on a busy machine.
  }, 60_000)

  test('a job that may only read the cache says so once and tries no save', async () => {
    await scene.builder()
    const result = await job({}, scene.cache.env({ readOnly: true }))
    expect(result.exitCode).toBe(0)
    expect(result.annotations).toEqual([{ level: 'warning', message: expect.stringContaining('read-only') }])
    expect(scene.cache.counts().CreateCacheEntry).toBe(0)
  })
})

describe('the action, when nobody can tell whether the image exists', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
    await scene.builder()
  })
  afterEach(() => scene.close())

  /** The registry answers for the base image, then refuses to say anything of the image itself. */
  async function run(more: Record<string, string> = {}, refusals = 1): Promise<ActionResult> {
    scene.registry.fail('GET manifests', { kind: 'status', status: 403, code: 'DENIED' }, refusals)
    return await scene.rig.main({ inputs: scene.inputs(more), env: scene.cache.env() })
  }

  test('builds, with a warning', async () => {
    const result = await run()
    expect([result.exitCode, result.outputs.get('skipped')]).toEqual([0, 'false'])
    expect(result.annotations).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(/^the registry could not be asked for the image: .* was answered 403/),
      },
    ])
  })

  test('fails with check-unknown fail, and builds nothing', async () => {
    const result = await run({ 'check-unknown': 'fail' })
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toMatch(/^E_CHECK: nobody can tell whether .*team\/app exists: /)
    expect(await scene.builds()).toBe(0)
  })

  test('with assume-exists goes on without a build, and says that no tag was put', async () => {
    scene.registry.fail('GET manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const result = await run({ 'check-unknown': 'assume-exists' })
    expect([result.exitCode, result.outputs.get('skipped'), result.outputs.get('digest')]).toEqual([0, 'true', ''])
    expect(result.annotations.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/team\/app is assumed to exist/),
    )
    expect(await scene.builds()).toBe(0)
  })

  test('with assume-exists puts the tags when the image turns out to be there', async () => {
    const key = (await scene.rig.main({ inputs: scene.inputs(), env: scene.cache.env() })).outputs.get('content-key')
    if (key === undefined || !isDigest(key)) throw new Error('there is no content key')
    scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
    const result = await run({ 'check-unknown': 'assume-exists', tags: `${scene.repository}:v9` })
    expect([result.outputs.get('skipped'), result.outputs.get('digest')]).toEqual(['true', scene.image])
    expect(scene.registry.digestOfTag('team/app', 'v9')).toBe(scene.image)
  })

  test('with assume-exists builds when the image turns out to be gone', async () => {
    const result = await run({ 'check-unknown': 'assume-exists' })
    expect([result.exitCode, result.outputs.get('skipped')]).toEqual([0, 'false'])
    expect(await scene.builds()).toBe(1)
  })

  test('a store that has trouble is a warning, not only a row', async () => {
    scene.cache.failNext('GetCacheEntryDownloadURL', 400, 99)
    const result = await scene.rig.main({ inputs: scene.inputs(), env: scene.cache.env() })
    expect(result.annotations).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(/^records could not be asked for the image: actions store: /),
      },
    ])
  })
})

describe('the action, when one repository of several has the image', () => {
  test('brings it to the other, with the tag of its content', async () => {
    const scene = await createScene()
    try {
      await scene.builder()
      const inputs = scene.inputs({ tags: `${scene.registry.host}/team/other:v1,${scene.repository}:v1` })
      const env = scene.cache.env()
      const key = (await scene.rig.main({ inputs, env })).outputs.get('content-key')
      if (key === undefined || !isDigest(key)) throw new Error('there is no content key')
      scene.lost()
      const builds = await scene.builds()
      scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
      const result = await scene.rig.main({ inputs, env })
      expect([result.outputs.get('skipped'), result.outputs.get('digest')]).toEqual(['true', scene.image])
      for (const tag of ['v1', contentTag(key)]) {
        expect(scene.registry.digestOfTag('team/other', tag)).toBe(scene.image)
      }
      expect(await scene.builds()).toBe(builds)
    } finally {
      await scene.close()
    }
  })
})

describe('the action, when a record names an image that is gone', () => {
  test('drops the record at once, so that a failing build leaves no trap behind', async () => {
    const scene = await createScene()
    try {
      await scene.builder()
      const step = { inputs: scene.inputs(), env: scene.cache.env() }
      await scene.rig.post(await scene.rig.main(step), step)
      scene.lost()
      scene.registry.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' }, 2)
      await scene.builder('exit 1')
      expect((await scene.rig.main(step)).exitCode).toBe(1)
      // The next run asks the registry and not for the manifest that was recorded.
      const before = scene.registry.requests.length
      await scene.rig.main(step)
      const asked = scene.registry.requests.slice(before).filter(({ path }) => path.includes('team/app'))
      expect(asked.map(({ path }) => path)).toEqual([
        expect.stringContaining('/manifests/content-'),
        // The cache, before it is read.
        '/v2/team/app/manifests/cache-image',
      ])
      const records = scene.cache.entries().filter(({ key }) => key.includes('-image-'))
      expect(records.map(({ key }) => key.includes('absent'))).toEqual([false, true])
    } finally {
      await scene.close()
    }
  })
})

describe('jobs of a matrix that run at the same time', () => {
  test('lose no record', async () => {
    const scene = await createScene()
    try {
      await scene.builder()
      await scene.rig.write(
        'Dockerfile',
        `FROM ${scene.registry.host}/base/python:3.11\nARG JOB\nCOPY app.py /app.py\n`,
      )
      const env = scene.cache.env()
      const steps = Array.from({ length: 6 }, (_, n) => ({
        inputs: scene.inputs({ 'build-args': `JOB=${n % 5}` }),
        env,
      }))
      const mains = await Promise.all(steps.map((step) => scene.rig.main(step)))
      // The first and the last are one image: whichever is late may find what the other has pushed.
      const builds = await scene.builds()
      expect([5, 6]).toContain(builds)
      // In the workspace of one job saves stand in line; these processes share theirs, so the posts run one by one.
      for (const [n, main] of mains.entries()) await scene.rig.post(main, steps[n])
      const again = await Promise.all(steps.map((step) => scene.rig.main(step)))
      expect(again.map(({ outputs }) => outputs.get('skipped'))).toEqual(Array(6).fill('true'))
      for (const { summary } of again) expect(summary).toContain('a record of')
      expect(await scene.builds()).toBe(builds)
    } finally {
      await scene.close()
    }
  })
})

describe('labels that change with each commit', () => {
  const REVISION = 'org.opencontainers.image.revision'
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
    await scene.builder()
  })
  afterEach(() => scene.close())

  async function job(more: Record<string, string>): Promise<ActionResult> {
    const step = { inputs: scene.inputs(more), env: scene.cache.env() }
    const main = await scene.rig.main(step)
    await scene.rig.post(main, step)
    return main
  }

  test.each([
    ['a revision', { labels: `${REVISION}=one` }, { labels: `${REVISION}=two` }],
    ['an annotation of the date', { annotations: 'org.opencontainers.image.created=1' }, {}],
    ['a label of the user’s own', { 'volatile-labels': 'run.*', labels: 'run.id=1' }, { 'volatile-labels': 'run.*' }],
  ])('%s spoils no hit', async (_, first, second) => {
    await job(first)
    expect((await job(second)).outputs.get('skipped')).toBe('true')
  })

  test.each([
    ['another label', { labels: 'team=one' }, { labels: 'team=two' }],
    [
      'a revision with volatile-labels off',
      { labels: `${REVISION}=one`, 'volatile-labels': 'off' },
      { 'volatile-labels': 'off' },
    ],
  ])('%s is another image', async (_, first, second) => {
    await job(first)
    expect((await job(second)).outputs.get('skipped')).toBe('false')
  })

  test('are put on the image that is found, when asked for, as a new image with the same layers', async () => {
    await job({ labels: `${REVISION}=one` })
    const result = await job({ labels: `${REVISION}=two`, 'retag-labels': 'true', tags: `${scene.repository}:v2` })
    expect(result.outputs.get('skipped')).toBe('true')
    const digest = scene.registry.digestOfTag('team/app', 'v2')
    expect(digest).not.toBe(scene.image)
    expect(result.outputs.get('digest')).toBe(digest)
    const manifest = Object(scene.registry.manifest('team/app', 'v2'))
    const config = JSON.parse(Buffer.from(scene.registry.blob('team/app', manifest.config.digest) ?? []).toString())
    expect(config.config.Labels).toEqual({ [REVISION]: 'two' })
    expect(result.annotations).toEqual([])
    // The record still names the image that was built.
    expect((await job({ tags: `${scene.repository}:v3` })).outputs.get('digest')).toBe(scene.image)
  })
})

describe('an image that is loaded into Docker', () => {
  test('is looked for there with check-local, tagged and not built', async () => {
    const scene = await createScene()
    try {
      await scene.builder()
      const id = `sha256:${'d'.repeat(64)}`
      const inputs = { tags: `${scene.repository}:dev`, load: 'true', 'check-local': 'true' }
      await scene.rig.stub(
        'docker',
        `case "$1" in buildx) shift; exec buildx "$@" ;; esac; echo 'No such image' >&2; exit 1\n`,
      )
      const built = await scene.rig.main({ inputs, env: scene.cache.env() })
      expect([built.exitCode, built.outputs.get('skipped')]).toEqual([0, 'false'])
      const image = JSON.stringify({ Id: id, Os: 'linux', Architecture: 'amd64' })
      await scene.rig.stub(
        'docker',
        `case "$1" in buildx) shift; exec buildx "$@" ;; image) echo '${image}' ;; tag) echo "$3" >> '${scene.rig.temp}/tagged' ;; *) exit 1 ;; esac\n`,
      )
      const found = await scene.rig.main({ inputs, env: scene.cache.env() })
      expect([found.exitCode, found.outputs.get('skipped'), found.outputs.get('imageid')]).toEqual([0, 'true', id])
      expect(await readFile(join(scene.rig.temp, 'tagged'), 'utf8')).toBe(`${scene.repository}:dev\n`)
      expect(await scene.builds()).toBe(1)
      // Without the input a loaded image is built each time, as buildx has it.
      await scene.rig.main({ inputs: { ...inputs, 'check-local': 'false' }, env: scene.cache.env() })
      expect(await scene.builds()).toBe(2)
    } finally {
      await scene.close()
    }
  })
})

describe('the action, when GitHub’s cache has trouble', () => {
  const slowest = 60_000

  test.concurrent.each([
    ['is down', {}, () => undefined],
    ['answers 500', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 500, 99)],
    ['gives no answer', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 'hang', 99)],
    ['breaks connections', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 'reset', 99)],
  ] as const)(
    'the image is built all the same when it %s',
    async (trouble, options, begin) => {
      const scene = await createScene(options)
      try {
        await scene.builder()
        const env = scene.cache.env()
        if (trouble === 'is down') await scene.cache.close()
        begin(scene)
        const result = await scene.rig.main({ inputs: scene.inputs(), env })
        expect(result.exitCode).toBe(0)
        expect(result.outputs.get('digest')).toBe(scene.image)
        // Not a miss: it is said that the cache could not tell.
        expect(result.summary).toContain('actions store: ')
      } finally {
        await scene.close()
      }
    },
    slowest,
  )

  test(
    'a slow cache is waited for',
    async () => {
      const scene = await createScene({ cache: { latency: 700 } })
      try {
        await scene.builder()
        const step = { inputs: scene.inputs(), env: scene.cache.env() }
        await scene.rig.post(await scene.rig.main(step), step)
        expect((await scene.rig.main(step)).outputs.get('skipped')).toBe('true')
      } finally {
        await scene.close()
      }
    },
    slowest,
  )

  test(
    'a record that cannot be saved is a warning after a good build',
    async () => {
      const scene = await createScene()
      try {
        await scene.builder()
        const step = { inputs: scene.inputs(), env: scene.cache.env() }
        const main = await scene.rig.main(step)
        scene.cache.failNext('CreateCacheEntry', 400, 99)
        const post = await scene.rig.post(main, step)
        expect([main.exitCode, post.exitCode]).toEqual([0, 0])
        expect(post.annotations).toEqual([
          { level: 'warning', message: expect.stringMatching(/^a record was not kept: actions store: /) },
        ])
      } finally {
        await scene.close()
      }
    },
    slowest,
  )
})
