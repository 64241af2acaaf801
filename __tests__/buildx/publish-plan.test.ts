import { describe, expect, test } from '@jest/globals'
import { type CacheOption, formatCacheOption, parseCacheOption } from '../../src/buildx/cache-option.ts'
import { type PublishQuestion, planPublish } from '../../src/buildx/publish-plan.ts'

const question: PublishQuestion = {
  push: true,
  driver: 'docker-container',
  buildkit: '0.33.1',
  cacheFrom: 'auto',
  cacheTo: 'auto',
  repository: 'ghcr.io/org/app',
  scope: 'image',
  compression: 'zstd',
}

function given(text: string): readonly CacheOption[] {
  const option = parseCacheOption(text)
  if (typeof option === 'string') throw new Error(option)
  return [option]
}

describe('push and cache export', () => {
  test.each<[string, Partial<PublishQuestion>, string]>([
    ['run side by side since BuildKit 0.28', {}, 'native-parallel'],
    ['run side by side on 0.28 itself', { buildkit: '0.28.0' }, 'native-parallel'],
    ['run one after another before', { buildkit: '0.27.1' }, 'one-after-another'],
    ['run one after another where the version is not known', { buildkit: undefined }, 'one-after-another'],
    ['there is only a push without a cache', { cacheTo: [] }, 'push-only'],
    ['there is only a push with an inline cache', { cacheTo: given('type=inline') }, 'push-only'],
    ['there is no push without push', { push: false }, 'no-push'],
    ['there is no cache export for the docker driver', { driver: 'docker' }, 'push-only'],
  ])('%s', (_, change, mode) => {
    expect(planPublish({ ...question, ...change }).mode).toBe(mode)
  })
})

test('a cache of its own lies beside the image, and its failure harms nothing', () => {
  const plan = planPublish(question)
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

test('what the user says of a cache stays; a failing export is ignored unless the user wants it to fail', () => {
  const plan = planPublish({
    ...question,
    cacheTo: given('type=registry,ref=ghcr.io/org/c,mode=max,ignore-error=false'),
  })
  expect(Object.fromEntries(plan.cacheTo[0]?.attributes ?? [])).toMatchObject({ mode: 'max', 'ignore-error': 'false' })
  const other = planPublish({ ...question, cacheTo: given('type=gha,scope=x') })
  expect(other.cacheTo.map(formatCacheOption)).toEqual(['type=gha,ignore-error=true,scope=x'])
})

test('a build without a repository has no cache of its own', () => {
  const plan = planPublish({ ...question, push: false, repository: undefined })
  expect([plan.cacheFrom, plan.cacheTo]).toEqual([[], []])
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
