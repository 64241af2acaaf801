import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/ensure-tool.ts'
import { ActRig } from '../support/act-rig.ts'
import { type CacheService, startCacheService } from '../support/cache-service.ts'

// Building act takes 2 minutes when it isn't in the tools' folder yet.
jest.setTimeout(300_000)

const source = join(import.meta.dirname, '..', '..', 'src')

const workflow = `
on: [push, pull_request]
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - id: remember
        uses: ./
        with:
          name: world
      - run: echo "the step said \${{ steps.remember.outputs.greeting }}"
`

const action = `
name: Remember
description: Keeps a greeting in the cache
inputs:
  name:
    description: Whom to greet
    required: true
outputs:
  greeting:
    description: The greeting
  found:
    description: What the store answered
runs:
  using: node24
  main: main.mjs
  post: post.mjs
`

// The real host and the real store, from this source tree.
const main = `
import { GithubHost, githubContext } from ${JSON.stringify(join(source, 'host/github-host.ts'))}
import { openStore } from ${JSON.stringify(join(source, 'stores/open-store.ts'))}
const host = await GithubHost.open()
const { store } = openStore({ kind: 'auto', env: process.env })
const greeting = 'hello ' + host.input('name')
host.output('greeting', greeting + '\\nsecond line')
host.output('store', store.name)
host.output('found', (await store.fetch('greeting-1')).kind)
host.output('saved', (await store.save('greeting-1', Buffer.from(greeting))).kind)
host.output('context', JSON.stringify(githubContext(process.env)))
host.warning('look here', { file: 'Dockerfile', line: 3 })
host.group('Folded', ['inside'])
host.saveState('greeting', greeting)
await host.summary('# ' + greeting)
process.exit(0)
`

const post = `
import { GithubHost } from ${JSON.stringify(join(source, 'host/github-host.ts'))}
const host = await GithubHost.open()
host.info('post knows ' + host.state('greeting'))
`

describe('the act rig', () => {
  let rig: ActRig
  let service: CacheService

  beforeAll(async () => {
    service = await startCacheService()
    rig = await ActRig.create(await ensureTool('act'))
    await rig.write('.github/workflows/ci.yml', workflow)
    await rig.write('action.yml', action)
    await rig.write('main.mjs', main)
    await rig.write('post.mjs', post)
  })
  afterEach(() => service.reset())
  afterAll(async () => {
    await rig.close()
    await service.close()
  })

  test('runs a workflow that uses the repository as an action, and reads its log', async () => {
    const result = await rig.run({ workflow: '.github/workflows/ci.yml', env: service.env() })
    expect(result).toMatchObject({ exitCode: 0, summary: '# hello world\n' })
    expect(result.outputs.get('remember.greeting')).toBe('hello world\nsecond line')
    expect(result.text).toContain('the step said hello world\n')
    expect(result.text).toContain('post knows hello world')
    expect(result.annotations).toEqual([{ level: 'warning', message: 'look here', file: 'Dockerfile', line: 3 }])
    expect(result.steps).toContainEqual({ job: 'one', step: 'remember', stage: 'Main', result: 'success' })
    expect(result.steps).toContainEqual({ job: 'one', step: 'remember', stage: 'Post', result: 'success' })
  })

  test('gives jobs the cache service, which one run fills for the next', async () => {
    const stateOf = async () => {
      const { outputs } = await rig.run({ workflow: '.github/workflows/ci.yml', env: service.env() })
      return ['store', 'found', 'saved'].map((name) => outputs.get(`remember.${name}`))
    }
    expect(await stateOf()).toEqual(['actions', 'miss', 'saved'])
    expect(await stateOf()).toEqual(['actions', 'hit', 'exists'])
    expect(service.entries()).toMatchObject([{ key: 'greeting-1', scope: 'refs/heads/main' }])
  })

  test('runs other events with their payload', async () => {
    const payload = { number: 7, pull_request: { number: 7, base: { ref: 'main' }, head: { ref: 'feature' } } }
    const env = service.env({ scope: 'refs/pull/7/merge', readOnly: true })
    const { outputs, exitCode } = await rig.run({
      workflow: '.github/workflows/ci.yml',
      event: 'pull_request',
      payload,
      env,
    })
    expect(exitCode).toBe(0)
    expect(JSON.parse(outputs.get('remember.context') ?? '{}')).toMatchObject({ ref: 'refs/pull/7/merge' })
    expect(outputs.get('remember.saved')).toBe('unavailable')
  })

  test('tells a failed step', async () => {
    await rig.write(
      '.github/workflows/failing.yml',
      'on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: exit 3\n        id: broken\n',
    )
    const { exitCode, steps } = await rig.run({ workflow: '.github/workflows/failing.yml' })
    expect(exitCode).toBe(1)
    expect(steps).toEqual([{ job: 'one', step: 'broken', stage: 'Main', result: 'failure' }])
  })
})
