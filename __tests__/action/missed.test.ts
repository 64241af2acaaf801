import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

describe('the report of a miss', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
    await scene.builder()
  })
  afterEach(() => scene.close())

  async function job(more: Record<string, string> = {}, env = scene.cache.env()): Promise<ActionResult> {
    const step = { inputs: scene.inputs(more), env }
    const main = await scene.rig.main(step)
    await scene.rig.post(main, step)
    return main
  }

  function patchBase(): void {
    const base = scene.registry.manifest('base/python', '3.11')
    scene.registry.addManifest('base/python', '3.11', OCI_MANIFEST, { ...Object(base), annotations: { patched: '1' } })
  }

  /** The sentence, which must stand in the summary and in the log. */
  function missed({ summary, stdout }: ActionResult): string {
    const [, sentence = ''] = /^ {2}(missed\b.*)$/m.exec(stdout) ?? []
    expect(summary.replaceAll('\\', '')).toContain(sentence)
    return sentence
  }

  test('names the files and the base image that changed since the last build', async () => {
    expect(missed(await job())).toBe('missed because: no earlier build of this image is remembered')
    await scene.rig.write('app.py', 'print("changed")\n')
    await scene.rig.write('new.py', '')
    patchBase()
    expect(missed(await job())).toBe(
      `missed because: app.py, new.py (new), base image ${scene.registry.host}/base/python:3.11`,
    )
  })

  test('names options, and an argument without its value', async () => {
    await scene.rig.write('Dockerfile', `FROM ${scene.registry.host}/base/python:3.11\nARG VERSION\n`)
    await job({ 'build-args': 'VERSION=1.0' })
    const second = await job({ 'build-args': 'VERSION=2.0', compression: 'gzip', labels: 'team=ml' })
    expect(missed(second)).toBe('missed because: build argument VERSION, compression, label team (new)')
    const kept = scene.cache.entries().filter(({ key }) => key.includes('-parts-'))
    expect(kept).toHaveLength(2)
  })

  test('compares with the content that was found last, wherever it was built', async () => {
    await job()
    await scene.rig.write('app.py', 'two\n')
    const built = await job()
    const tag = `content-${built.outputs.get('content-key')?.slice('sha256:'.length)}`
    scene.registry.addManifest('team/app', tag, OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
    // A cache that knows nothing of that build, as on another branch.
    await scene.cache.close()
    const fresh = await createScene()
    try {
      const found = await job({}, fresh.cache.env())
      expect(found.outputs.get('skipped')).toBe('true')
      await scene.rig.write('other.py', '')
      expect(missed(await job({}, fresh.cache.env()))).toBe('missed because: other.py (new)')
    } finally {
      await fresh.close()
    }
  }, 30_000)

  test('says so when nothing changed and the image is gone all the same', async () => {
    await job()
    scene.lost()
    expect(missed(await job({ 'check-ttl': '0' }))).toBe(
      'missed although nothing changed since the last build: its image is gone',
    )
  })

  test('tells other targets and other images apart', async () => {
    await job()
    await scene.rig.write('app.py', 'two\n')
    const other = await job({ tags: `${scene.repository}-two:v1` })
    expect(missed(other)).toBe('missed because: no earlier build of this image is remembered')
  })

  test.each([
    ['forced', { force: 'true' }],
    ['not looked for', { check: 'off' }],
  ])('has nothing to tell of a build that was %s', async (_, more) => {
    await job()
    const forced = await job(more)
    expect(forced.outputs.get('skipped')).toBe('false')
    expect(forced.summary).not.toContain('missed')
  })

  test('does not stand in the way of a build when the store is down', async () => {
    scene.cache.failNext('GetCacheEntryDownloadURL', 500, 99)
    const result = await job()
    expect(result.exitCode).toBe(0)
    expect(missed(result)).toMatch(/^missed; what changed can't be told: actions store: /)
  }, 30_000)
})
