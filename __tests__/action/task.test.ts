import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { type ActionResult, ActionRig } from '../support/action-rig.ts'
import { type CacheService, type CacheServiceEnv, startCacheService } from '../support/cache-service.ts'

const SCRIPT =
  'echo run >> runs\ncat src/*.txt > out.txt\necho "made it"\necho "size=$(cat out.txt | tr -d \'\\n\')" >> "$GITHUB_OUTPUT"\n'

// Every step is a process of its own, and a service that is down is given ten seconds.
jest.setTimeout(60_000)

let rig: ActionRig
let cache: CacheService

beforeEach(async () => {
  rig = await ActionRig.create()
  cache = await startCacheService()
  await rig.write('src/a.txt', 'one\n')
})
afterEach(async () => {
  await Promise.all([rig.close(), cache.close()])
})

/** A job with the task as its only step: main, then post. */
async function job(
  more: Readonly<Record<string, string>> = {},
  env: CacheServiceEnv & { readonly vars?: Readonly<Record<string, string>> } = {},
): Promise<ActionResult> {
  const { vars = {}, ...scopes } = env
  const step = {
    inputs: { name: 'bundle', run: SCRIPT, shell: 'sh', inputs: 'src', outputs: 'out.txt\nvalue:size', ...more },
    env: { ...cache.env(scopes), ...vars },
  }
  const main = await rig.task(step)
  const post = await rig.post(main, { env: step.env })
  return { ...main, annotations: [...main.annotations, ...post.annotations], stdout: `${main.stdout}${post.stdout}` }
}

/** As a new job finds it: the sources alone. */
async function fresh(): Promise<void> {
  await rm(join(rig.workspace, 'out.txt'), { force: true })
}

async function runs(): Promise<number> {
  return (await readFile(join(rig.workspace, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1
}

function status(result: ActionResult): string | undefined {
  return result.outputs.get('cache-status')
}

describe('a task whose inputs are as before', () => {
  test('gets its files, values and log back without a run', async () => {
    const first = await job()
    expect([first.exitCode, status(first), await runs()]).toEqual([0, 'miss', 1])
    await fresh()
    const second = await job()
    expect(second).toMatchObject({ exitCode: 0, annotations: [] })
    expect([status(second), await runs()]).toEqual(['hit', 1])
    expect(await readFile(join(rig.workspace, 'out.txt'), 'utf8')).toBe('one\n')
    expect(second.outputs.get('size')).toBe('one')
    expect(second.outputs.get('key')).toBe(first.outputs.get('key'))
    expect(second.outputs.get('why')).toMatch(/made on .* UTC by https:\/\/github\.com\/team\/app\/actions\/runs\/1/)
    expect(second.stdout).toContain('\n| made it\n')
    expect(second.summary).toMatch(/<code>bundle<\/code> \| ✓ hit/)
  })

  test('costs at most three requests, and one that misses at most two before it runs', async () => {
    const requests = async (): Promise<number> => {
      const before = cache.counts()
      await rig.task({
        inputs: { name: 'bundle', run: SCRIPT, shell: 'sh', inputs: 'src', outputs: 'out.txt\nvalue:size' },
        env: cache.env(),
      })
      const after = Object.entries(cache.counts())
      return after.reduce((sum, [api, count]) => sum + count - Number(Reflect.get(before, api)), 0)
    }
    expect(await requests()).toBeLessThanOrEqual(2)
    await fresh()
    await job()
    await fresh()
    expect(await requests()).toBeLessThanOrEqual(3)
  })

  test('is stored by the post step alone, and nothing of it stays behind', async () => {
    const step = { inputs: { name: 'a', run: 'echo x > out.txt', shell: 'sh', outputs: 'out.txt' }, env: cache.env() }
    const main = await rig.task(step)
    expect(cache.entries()).toEqual([])
    expect(await rig.leftovers()).toHaveLength(1)
    await rig.post(main, { env: step.env })
    expect(cache.entries().length).toBeGreaterThan(0)
    expect(await rig.leftovers()).toEqual([])
  })
})

describe('a task runs again', () => {
  test('when an input has changed, and says which', async () => {
    await job()
    await rig.write('src/a.txt', 'two\n')
    await fresh()
    const second = await job()
    expect([status(second), await runs(), second.outputs.get('size')]).toEqual(['miss', 2, 'two'])
    expect(second.outputs.get('why')).toContain('src/a.txt')
  })

  test.each([
    ['its script', { run: `${SCRIPT}\necho more\n` }],
    ['its outputs', { outputs: 'out.txt\nvalue:size\nruns' }],
    ['its environment', { env: 'LEVEL=2' }],
    ['its salt', { salt: 'x' }],
    ['its scope', { scope: 'other' }],
    ['its platform', { platform: 'native' }],
    ['a literal', { inputs: 'src\nvalue:2' }],
  ])('when %s has changed: the definition of the step is part of the key', async (_, more) => {
    const first = await job()
    await fresh()
    await rm(join(rig.workspace, 'runs'))
    const second = await job(more)
    expect([status(second), await runs()]).toEqual(['miss', 1])
    expect(second.outputs.get('key')).not.toBe(first.outputs.get('key'))
  })

  test('when its result is no longer kept, and says that it was there before', async () => {
    await job()
    await fresh()
    const gone = cache.entries().filter(({ key }) => key.includes('-task-') && !key.includes('history'))
    for (const { key } of gone) cache.evict(key)
    const second = await job()
    expect([gone.length, status(second), await runs()]).toEqual([1, 'miss', 2])
    expect(second.outputs.get('why')).toContain('evicted')
  })

  test('when asked to, by input, variable or dispatched workflow', async () => {
    await job()
    const event = join(rig.temp, 'event.json')
    await writeFile(event, JSON.stringify({ inputs: { 'refresh-cache': 'bundle' } }))
    const asked = [
      await job({ overwrite: 'true' }),
      await job({}, { vars: { IMAGE_CACHE_REFRESH: 'true' } }),
      await job({}, { vars: { GITHUB_EVENT_PATH: event } }),
    ]
    expect(asked.map(status)).toEqual(['overwritten', 'overwritten', 'overwritten'])
    await fresh()
    expect(status(await job())).toBe('hit')
    expect(await runs()).toBe(4)
  })

  test('each time when its cache is switched off, here or by default', async () => {
    await rig.write('.image-cache.yml', 'task: {cache: off}\n')
    expect([status(await job()), status(await job()), await runs()]).toEqual(['disabled', 'disabled', 2])
    expect(cache.entries()).toEqual([])
    expect(status(await job({ cache: 'auto' }))).toBe('miss')
  })
})

describe('a task that fails', () => {
  test('fails the step with its own exit code and stores nothing', async () => {
    const result = await job({ run: 'echo half > out.txt\necho broken >&2\nexit 7\n', outputs: 'out.txt' })
    expect(result.exitCode).toBe(7)
    expect(result.annotations).toEqual([{ level: 'error', message: 'E_TASK: bundle ended with exit code 7' }])
    expect(result.stdout).toContain('broken')
    expect(cache.entries()).toEqual([])
    expect(await rig.leftovers()).toEqual([])
    expect((await job({ run: 'echo half > out.txt\necho broken >&2\nexit 7\n', outputs: 'out.txt' })).exitCode).toBe(7)
  })

  test('is told all that is wrong with its inputs in one error', async () => {
    const result = await job({ name: '', cache: 'sometimes', 'max-age': 'soon' })
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toHaveLength(1)
    expect(result.annotations[0]?.message).toMatch(
      /^E_INPUT: name: "" is empty.*; cache: "sometimes" .*; max-age: "soon" /,
    )
  })
})

describe('a store that gives trouble', () => {
  test('is read-only: the task runs, and it is said that nothing was kept', async () => {
    const result = await job({}, { readOnly: true })
    expect([result.exitCode, await runs()]).toEqual([0, 1])
    expect(JSON.stringify(result.annotations)).toContain('read-only')
    expect(cache.counts().CreateCacheEntry).toBe(0)
  })

  test('is down: the task runs', async () => {
    cache.failNext('GetCacheEntryDownloadURL', 500, 50)
    cache.failNext('CreateCacheEntry', 500, 50)
    const result = await job()
    expect([result.exitCode, status(result), await runs()]).toEqual([0, 'unavailable', 1])
    // One call, which the client tries again until our time limit ends it: nothing else is asked of a dead service.
    expect(cache.counts().GetCacheEntryDownloadURL).toBeLessThanOrEqual(5)
    expect(cache.counts().FinalizeCacheEntryUpload).toBe(0)
    expect(existsSync(join(rig.workspace, 'out.txt'))).toBe(true)
  })

  test('answers with a broken entry: the task runs, and the old files stay until it has', async () => {
    await job()
    await rig.write('out.txt', 'old\n')
    cache.failNext('download', 'corrupt', 20)
    const result = await job()
    expect([result.exitCode, await runs()]).toEqual([0, 2])
    expect(status(result)).not.toBe('hit')
    expect(await readFile(join(rig.workspace, 'out.txt'), 'utf8')).toBe('one\n')
  })
})

describe('trust', () => {
  test('what a pull request has stored is not read on main', async () => {
    const pull = { scope: 'refs/pull/7/merge', readScopes: ['refs/heads/main'] }
    expect(status(await job({}, pull))).toBe('miss')
    await fresh()
    expect(status(await job({}, pull))).toBe('hit')
    await fresh()
    expect(status(await job())).toBe('miss')
    await fresh()
    expect(status(await job({}, { scope: 'refs/pull/8/merge', readScopes: ['refs/heads/main'] }))).toBe('hit')
  })

  test('an archive that another step has changed is not stored', async () => {
    const step = { inputs: { name: 'a', run: 'echo x > out.txt', shell: 'sh', outputs: 'out.txt' }, env: cache.env() }
    const main = await rig.task(step)
    const [folder = ''] = await rig.leftovers()
    const { file, digest } = JSON.parse(main.state.get('task-saves') ?? '{}')
    expect([typeof file, typeof digest]).toEqual(['string', 'string'])
    const [{ file: archive }] = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(archive, 'something else')
    const post = await rig.post(main, { env: step.env })
    expect(post.exitCode).toBe(0)
    expect(JSON.stringify(post.annotations)).toContain('its file was changed after the task')
    expect(cache.entries().filter(({ key }) => key.includes('-task-') && !key.includes('history'))).toEqual([])
    expect(existsSync(join(rig.temp, folder))).toBe(false)
  })

  test('a list of results that another step has changed is not believed', async () => {
    const step = { inputs: { name: 'a', run: 'echo x > out.txt', shell: 'sh', outputs: 'out.txt' }, env: cache.env() }
    const main = await rig.task(step)
    const { file } = JSON.parse(main.state.get('task-saves') ?? '{}')
    await writeFile(file, '[]')
    const post = await rig.post(main, { env: step.env })
    expect(JSON.stringify(post.annotations)).toContain('their list was changed')
    expect(cache.entries()).toEqual([])
  })

  test('the task does not see the token of the cache, nor the inputs of the action', async () => {
    const run =
      'echo "token=$ACTIONS_RUNTIME_TOKEN url=$ACTIONS_RESULTS_URL"\ncat /proc/self/environ | tr "\\0" "\\n"\n'
    const result = await job({ run, outputs: '' })
    expect(result.stdout).toContain('token= url=')
    expect(result.stdout).not.toMatch(/INPUT_|STATE_|ACTIONS_RUNTIME/)
    expect(result.stdout).toContain('GITHUB_REPOSITORY=team/app')
  })

  test('secrets are masked in what is kept, and commands of an earlier run command nothing', async () => {
    const run =
      'echo "::add-mask::my-own-secret"\necho "it is $API_TOKEN and my-own-secret"\necho "::error::from the task"\n'
    const vars = { API_TOKEN: 'abcdefgh12345678' }
    const first = await job({ run, outputs: '' }, { vars })
    // What runs speaks to the runner as a run step does.
    expect(first.stdout).toMatch(/^::add-mask::my-own-secret$/m)
    expect(first.annotations).toContainEqual({ level: 'error', message: 'from the task' })
    const second = await job({ run, outputs: '' }, { vars })
    expect(status(second)).toBe('hit')
    expect(second.stdout).toContain('| it is *** and ***')
    expect(second.stdout).not.toContain('abcdefgh12345678')
    expect(second.annotations).toEqual([])
  })
})
