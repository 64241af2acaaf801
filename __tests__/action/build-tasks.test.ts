import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

const TASKS = `
generate:
  run: |
    echo ran >> runs
    cat words/*.txt > made.txt
  shell: sh
  inputs: words
  outputs: made.txt
`

let scene: ActionScene
beforeEach(async () => {
  scene = await createScene()
  await scene.rig.write('words/a.txt', 'one\n')
  await scene.rig.write('.dockerignore', 'runs\n')
  await scene.builder()
})
afterEach(() => scene.close())

// Every step is a process of its own.
jest.setTimeout(60_000)

/** A build as a job runs it: main step, then post step. */
async function build(more: Record<string, string> = {}): Promise<ActionResult> {
  const step = { inputs: scene.inputs({ tasks: TASKS, ...more }), env: scene.cache.env() }
  const main = await scene.rig.main(step)
  const post = await scene.rig.post(main, step)
  return { ...main, annotations: [...main.annotations, ...post.annotations] }
}

async function check(more: Record<string, string> = {}): Promise<ActionResult> {
  return await scene.rig.check({ inputs: scene.inputs({ tasks: TASKS, ...more }), env: scene.cache.env() })
}

async function runs(): Promise<number> {
  return (await readFile(join(scene.rig.workspace, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1
}

/** As a new job finds it: the sources alone. */
async function fresh(): Promise<void> {
  await rm(join(scene.rig.workspace, 'made.txt'), { force: true })
}

function push(key = ''): void {
  if (!isDigest(key)) throw new Error('there is no content key')
  scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
}

describe('tasks of a build', () => {
  test('run before the build, and give their files back to the next one', async () => {
    const first = await build()
    expect([first.exitCode, await runs(), await scene.builds()]).toEqual([0, 1, 1])
    expect(await readFile(join(scene.rig.workspace, 'made.txt'), 'utf8')).toBe('one\n')
    await fresh()
    await scene.rig.write('app.py', 'print("other")\n')
    const second = await build()
    expect([second.exitCode, await runs(), await scene.builds()]).toEqual([0, 1, 2])
    expect(await readFile(join(scene.rig.workspace, 'made.txt'), 'utf8')).toBe('one\n')
    expect(second.summary).toMatch(/<code>generate<\/code> \| ✓ hit/)
    expect(second.outputs.get('content-key')).not.toBe(first.outputs.get('content-key'))
  })

  test('neither run nor are restored for an image that is there', async () => {
    const first = await build()
    push(first.outputs.get('content-key'))
    await fresh()
    const second = await build()
    expect([second.outputs.get('skipped'), await runs(), await scene.builds()]).toEqual(['true', 1, 1])
    expect(existsSync(join(scene.rig.workspace, 'made.txt'))).toBe(false)
  })

  test('have their own inputs in the key of the image, in the place of what they make', async () => {
    const first = await build()
    await scene.rig.write('made.txt', 'stale\n')
    expect((await check()).outputs.get('content-key')).toBe(first.outputs.get('content-key'))
    await scene.rig.write('words/a.txt', 'two\n')
    expect((await check()).outputs.get('content-key')).not.toBe(first.outputs.get('content-key'))
  })

  test('stop the build when one fails, and keep what others made', async () => {
    const broken = `${TASKS}\nbroken: {run: exit 3, shell: sh, needs: generate}\n`
    const result = await build({ tasks: broken })
    expect([result.exitCode, await scene.builds()]).toEqual([1, 0])
    expect(result.annotations[0]?.message).toMatch(/^E_TASK: the task broken failed/)
    await fresh()
    await build()
    expect(await runs()).toBe(1)
  })
})

describe('a check of a build with tasks', () => {
  test('comes to the same key as the build, before and after the tasks have run, and leaves nothing behind', async () => {
    const before = await check()
    expect([before.exitCode, await runs(), await scene.rig.leftovers()]).toEqual([0, 0, []])
    const built = await build()
    const after = await check()
    expect(before.outputs.get('content-key')).toMatch(/^sha256:/)
    expect(built.outputs.get('content-key')).toBe(before.outputs.get('content-key'))
    expect(after.outputs.get('content-key')).toBe(before.outputs.get('content-key'))
  })

  test('can tell nothing when the result of a task is never kept', async () => {
    const result = await check({ tasks: TASKS.replace('shell: sh', 'shell: sh\n  cache: off') })
    expect([result.exitCode, result.outputs.get('exists')]).toEqual([0, 'unknown'])
    expect(result.outputs.get('reason')).toContain('the cache of the task generate is switched off')
  })
})
