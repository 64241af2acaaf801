import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/service-set.ts'
import { type ActResult, ActRig } from '../support/act-rig.ts'
import type { CacheServiceEnv } from '../support/cache-service.ts'
import { LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

const root = join(import.meta.dirname, '../..')

let line: LineRig
let act: ActRig

beforeAll(async () => {
  line = await LineRig.create()
  act = await ActRig.create(await ensureTool('act'))
  await act.copy(join(root, 'dist'), 'dist')
  await act.copy(join(root, 'action.yml'), 'action.yml')
  await act.copy(join(root, 'check'), 'check')
  await act.write('app/Dockerfile', 'FROM python:3.11-slim\nCOPY main.py /app/main.py\n')
  await act.write('app/main.py', 'print("hello")\n')
  await act.write('.github/workflows/image.yml', workflow())
})

afterAll(async () => {
  await act.close()
  await line.close()
})

/** One event on the way of a change: what its run may read and write in GitHub's cache, and what the event says. */
interface Stop {
  readonly event: string
  readonly tag: string
  readonly cache: CacheServiceEnv
  readonly payload: Readonly<Record<string, unknown>>
}

const pull = { number: 7, pull_request: { number: 7, base: { ref: 'main' }, head: { ref: 'feature' } } }
const queue = { merge_group: { head_ref: 'refs/heads/gh-readonly-queue/main/pr-7', base_ref: 'refs/heads/main' } }

const pullRequest: Stop = {
  event: 'pull_request',
  tag: 'pull-request',
  cache: { scope: 'refs/pull/7/merge', readScopes: ['refs/heads/main'] },
  payload: pull,
}
const mergeQueue: Stop = {
  event: 'merge_group',
  tag: 'queue',
  cache: { scope: 'refs/heads/gh-readonly-queue/main/pr-7', readScopes: ['refs/heads/main'] },
  payload: queue,
}
const main: Stop = {
  event: 'push',
  tag: 'main',
  cache: { scope: 'refs/heads/main' },
  payload: { ref: 'refs/heads/main' },
}

test('the same tree is built once on its way from pull request through merge queue to main', async () => {
  const built = await run(pullRequest)
  expect(built.outputs.get('image.skipped')).toBe('false')
  const digest = built.outputs.get('image.digest')

  // What the pull request's run wrote into the cache can't be seen from here: the registry answers, by the content's tag.
  const queued = await run(mergeQueue)
  expect(queued.outputs.get('image.skipped')).toBe('true')
  expect(queued.text).toContain('no record')
  expect(queued.outputs.get('before.exists')).toBe('true')

  const merged = await run(main)
  expect(merged.outputs.get('image.skipped')).toBe('true')
  expect(merged.text).toContain('no record')

  // Main's record is there for every later run, on whatever branch.
  const other = { ...pullRequest, tag: 'other', cache: { scope: 'refs/pull/8/merge', readScopes: ['refs/heads/main'] } }
  const later = await run(other)
  expect(later.outputs.get('image.skipped')).toBe('true')
  expect(later.text).toContain('found by record')

  for (const { tag } of [pullRequest, mergeQueue, main, other]) {
    expect(await digestOfTag(`${line.services.registry}/team/app`, tag)).toBe(digest)
  }
  const scopes = line.cache.entries().map(({ scope }) => scope)
  expect(new Set(scopes)).toEqual(new Set(['refs/pull/7/merge', mergeQueue.cache.scope, 'refs/heads/main']))
})

test('a job is left out when the check finds its image', async () => {
  const result = await run({ ...main, tag: 'again' })
  expect(result.outputs.get('before.exists')).toBe('true')
  expect(result.steps.some(({ step }) => step === 'only-when-missing')).toBe(false)
})

async function run(stop: Stop): Promise<ActResult> {
  const { PATH: _, ...services } = line.services.env
  const names = { REGISTRY: line.registry, TAG: stop.tag }
  const result = await act.run({
    workflow: '.github/workflows/image.yml',
    event: stop.event,
    payload: stop.payload,
    env: { ...line.cache.env(stop.cache), ...services, ...names },
  })
  if (result.exitCode !== 0) throw new Error(result.text)
  return result
}

function workflow(): string {
  const inputs = `
          context: app
          tags: \${{ env.REGISTRY }}/team/app:\${{ env.TAG }}
          build-contexts: python:3.11-slim=docker-image://\${{ env.REGISTRY }}/base/python:3.11-slim
          installer-image: \${{ env.REGISTRY }}/base/uv:python3.11`
  return `
on: [pull_request, merge_group, push]
jobs:
  check:
    runs-on: ubuntu-latest
    outputs:
      exists: \${{ steps.before.outputs.exists }}
    steps:
      - uses: actions/checkout@v7
      - id: before
        uses: ./check
        with:${inputs}
          store: off
  missing:
    needs: check
    if: needs.check.outputs.exists != 'true'
    runs-on: ubuntu-latest
    steps:
      - id: only-when-missing
        run: echo "it is missing"
  image:
    needs: check
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: image
        uses: ./
        with:${inputs}
          push: true
`
}
