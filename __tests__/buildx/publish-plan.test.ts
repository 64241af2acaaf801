import { describe, expect, test } from '@jest/globals'
import { cacheCautions } from '../../src/buildx/cache-defaults.ts'
import { type CacheOption, formatCacheOption, parseCacheOption } from '../../src/buildx/cache-option.ts'
import type { PublishRecord } from '../../src/buildx/publish-history.ts'
import { type PublishQuestion, type PublishWish, planPublish } from '../../src/buildx/publish-plan.ts'

/** A build whose cache lies in another repository. */
const question: PublishQuestion = {
  wish: 'auto',
  push: true,
  hasPostStep: true,
  history: [],
  driver: 'docker-container',
  buildkit: '0.33.1',
  cacheFrom: 'auto',
  cacheTo: given('type=registry,ref=ghcr.io/org/cache:app'),
  repository: 'ghcr.io/org/app',
  repositories: ['ghcr.io/org/app'],
  scope: 'image',
  owners: { writes: '', refused: undefined, reads: [''] },
  compression: 'zstd',
}

function given(...texts: readonly string[]): readonly CacheOption[] {
  return texts.map((text) => {
    const option = parseCacheOption(text)
    if (typeof option === 'string') throw new Error(option)
    return option
  })
}

/** A run that pushed 100 MB. */
function ran(mode: string, seconds: number, bytes = 100e6): PublishRecord {
  return { mode, push: seconds, export: seconds / 2, seconds, bytes }
}

const BESIDE: Partial<PublishQuestion> = { cacheTo: 'auto' }
const OLD: Partial<PublishQuestion> = { buildkit: '0.27.1' }

describe('push and cache export', () => {
  test.each<[string, Partial<PublishQuestion>, string, RegExp]>([
    ['run side by side since BuildKit 0.28', {}, 'parallel', /does both at once/],
    ['run side by side on 0.28 itself', { buildkit: '0.28.0' }, 'parallel', /0\.28\.0/],
    ['get a client each before', OLD, 'two-clients', /a client of its own/],
    ['are left to the builder where its version is not known', { buildkit: undefined }, 'sequential', /not known/],
    ['there is only a push without a cache', { cacheTo: [] }, 'push-only', /no cache/],
    [
      'there is only a push with an inline cache',
      { cacheTo: given('type=inline') },
      'push-only',
      /in the image itself/,
    ],
    ['there is no push without push', { push: false }, 'no-push', /nothing is pushed/],
    ['there is no export with the docker driver', { ...BESIDE, driver: 'docker' }, 'push-only', /docker driver/],
    [
      'an inline cache does not keep another one from its place',
      { cacheTo: given('type=inline', 'type=gha') },
      'parallel',
      /at once/,
    ],
    [
      'are not mixed by two clients in two compressions',
      { ...OLD, cacheTo: given('type=registry,ref=ghcr.io/org/cache:app,compression=gzip') },
      'sequential',
      /compressed differently/,
    ],
    ['gzip of gha would be mixed as well', { ...OLD, cacheTo: given('type=gha') }, 'sequential', /differently/],
  ])('%s', (_, change, mode, reason) => {
    const plan = planPublish({ ...question, ...change })
    expect(plan.mode).toBe(mode)
    expect(plan.reason).toMatch(reason)
  })

  test.each<[string, Partial<PublishQuestion>, readonly PublishRecord[], string, RegExp]>([
    ['waits for the image while the link is unknown', {}, [], 'image-first', /not known yet/],
    ['waits on old builders in one call', OLD, [], 'sequential', /not known yet/],
    ['waits over a slow link', {}, [ran('image-first', 5)], 'image-first', /20 MB\/s measured/],
    ['goes along over a fast one', {}, [ran('image-first', 0.5)], 'parallel', /200 MB\/s measured/],
    ['goes along by two clients', OLD, [ran('sequential', 0.5)], 'two-clients', /fast/],
    ['small runs tell nothing of a link', {}, [ran('image-first', 0.001, 1000)], 'image-first', /not known yet/],
    [
      'waits when both at once took longer',
      {},
      [ran('image-first', 0.5), ran('parallel', 0.6)],
      'image-first',
      /20 % longer/,
    ],
    [
      'goes along when both at once took as long',
      {},
      [ran('image-first', 0.5), ran('parallel', 0.51)],
      'parallel',
      /./,
    ],
  ])('a cache in the image’s own repository %s', (_, change, history, mode, reason) => {
    const plan = planPublish({ ...question, ...BESIDE, ...change, history })
    expect(plan.mode).toBe(mode)
    expect(plan.reason).toMatch(reason)
  })

  test('one after another, if both at once took longer elsewhere, too', () => {
    const history = [ran('image-first', 10), ran('parallel', 12)]
    expect(planPublish({ ...question, history }).mode).toBe('image-first')
    const old = [ran('sequential', 10), ran('two-clients', 12)]
    expect(planPublish({ ...question, ...OLD, history: old }).mode).toBe('sequential')
  })

  test.each<[PublishWish, Partial<PublishQuestion>, string, RegExp]>([
    ['parallel', {}, 'parallel', /^publish: parallel$/],
    ['parallel', OLD, 'two-clients', /0\.27\.1 needs two clients/],
    ['two-clients', {}, 'two-clients', /^publish: two-clients$/],
    ['image-first', {}, 'image-first', /^publish: image-first$/],
    ['image-first', OLD, 'image-first', /^publish: image-first$/],
    ['sequential', OLD, 'sequential', /^publish: sequential$/],
    ['sequential', {}, 'image-first', /in one call BuildKit 0\.33\.1 would do both at once/],
    ['post', {}, 'post', /^publish: post$/],
    ['post', { hasPostStep: false }, 'parallel', /no step after this one/],
    ['post', { ...OLD, hasPostStep: false }, 'two-clients', /no step after this one/],
    ['post', { push: false }, 'no-push', /nothing is pushed/],
    ['parallel', { cacheTo: given('type=inline') }, 'push-only', /in the image itself/],
  ])('publish: %s with %j is %s', (wish, change, mode, reason) => {
    const plan = planPublish({ ...question, ...change, wish })
    expect(plan.mode).toBe(mode)
    expect(plan.reason).toMatch(reason)
  })

  test('what earlier runs of the mode took is expected, by the median', () => {
    const history = [ran('parallel', 4), ran('parallel', 30), ran('parallel', 6), ran('image-first', 90)]
    expect(planPublish({ ...question, history: history.slice(0, 3) }).predicted).toEqual({
      push: 6,
      export: 3,
      seconds: 6,
    })
    expect(planPublish(question).predicted).toBeUndefined()
  })
})

describe('caches', () => {
  test('lie beside the image, and their failure harms nothing', () => {
    const plan = planPublish({ ...question, ...BESIDE })
    expect(plan.cacheFrom.map(formatCacheOption)).toEqual(['type=registry,ref=ghcr.io/org/app:cache-image'])
    const [cacheTo] = plan.cacheTo
    expect(cacheTo?.type).toBe('registry')
    expect(Object.fromEntries(cacheTo?.attributes ?? [])).toEqual({
      ref: 'ghcr.io/org/app:cache-image',
      mode: 'min',
      compression: 'zstd',
      'ignore-error': 'true',
      'oci-mediatypes': 'true',
      'image-manifest': 'true',
    })
  })

  test('of a pull request are read beside those of its branches, and it writes its own', () => {
    const owners = { writes: 'pull-7', refused: undefined, reads: ['pull-7', 'branch-dev', ''] }
    const plan = planPublish({ ...question, ...BESIDE, owners })
    const refs = (options: readonly CacheOption[]) => options.map(({ attributes }) => attributes.get('ref'))
    expect(refs(plan.cacheFrom)).toEqual([
      'ghcr.io/org/app:cache-image-pull-7',
      'ghcr.io/org/app:cache-image-branch-dev',
      'ghcr.io/org/app:cache-image',
    ])
    expect(refs(plan.cacheTo)).toEqual(['ghcr.io/org/app:cache-image-pull-7'])
  })

  test('of others are not written', () => {
    const plan = planPublish({ ...question, ...BESIDE, owners: { writes: undefined, refused: 'why', reads: [''] } })
    expect([plan.cacheTo, plan.mode]).toEqual([[], 'push-only'])
  })

  test.each([
    ['type=registry,ref=ghcr.io/org/c,mode=max,ignore-error=false', { mode: 'max', 'ignore-error': 'false' }],
    ['type=registry,ref=ghcr.io/org/c,compression=gzip', { compression: 'gzip', 'ignore-error': 'true' }],
    ['type=local,dest=/cache', { dest: '/cache', compression: 'zstd', 'ignore-error': 'true' }],
  ])('what the user says of one stays: %s', (text, attributes) => {
    const [option] = planPublish({ ...question, cacheTo: given(text) }).cacheTo
    expect(Object.fromEntries(option?.attributes ?? [])).toMatchObject(attributes)
  })

  test('in GitHub’s cache get a scope for each image, target and platform, unless they have one', () => {
    const gha = { ...question, scope: 'image-linux-arm64', cacheFrom: given('type=gha'), cacheTo: given('type=gha') }
    const plan = planPublish(gha)
    expect(plan.cacheFrom.map(formatCacheOption)).toEqual(['type=gha,scope=app-image-linux-arm64'])
    expect(plan.cacheTo.map(formatCacheOption)).toEqual(['type=gha,ignore-error=true,scope=app-image-linux-arm64'])
    const own = planPublish({ ...gha, cacheTo: given('type=gha,scope=x') })
    expect(own.cacheTo.map(formatCacheOption)).toEqual(['type=gha,ignore-error=true,scope=x'])
  })

  test('without a repository there is none', () => {
    const plan = planPublish({ ...question, ...BESIDE, cacheFrom: 'auto', push: false, repository: undefined })
    expect([plan.cacheFrom, plan.cacheTo]).toEqual([[], []])
  })

  test('that are known to break are told of, each kind once', () => {
    expect(cacheCautions(given('type=gha', 'type=gha,scope=b', 'type=registry,ref=a/b'))).toEqual([
      expect.stringMatching(/^cache-to gha: .*one layer at a time.*10 minutes.*10 GB/),
    ])
    for (const type of ['s3', 'azblob', 'local', 'inline']) expect(cacheCautions(given(`type=${type}`))).toHaveLength(1)
  })
})

describe('a cache option', () => {
  test.each([
    ['type=registry,ref=a/b:c,mode=max', 'type=registry,ref=a/b:c,mode=max'],
    ['a/b:cache', 'type=registry,ref=a/b:cache'],
    ['type=s3,"name=a;b",region=x', 'type=s3,name=a;b,region=x'],
    ['type=local,"dest=with,comma"', 'type=local,"dest=with,comma"'],
  ])('%s', (text, printed) => {
    const option = parseCacheOption(text)
    expect(typeof option === 'string' ? option : formatCacheOption(option)).toBe(printed)
  })

  test.each([
    ['mode=max', 'has no type'],
    ['type=registry,mode=max', 'has no ref'],
    ['type=registry,"ref=open', 'is not a list'],
  ])('%s is refused', (text, why) => {
    expect(parseCacheOption(text)).toContain(why)
  })
})
