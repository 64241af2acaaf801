import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import type { CheckAnswer, CheckQuestion } from '../../src/image-check/image-check.ts'
import { type ImageRecord, type RecordSubject, recordKey } from '../../src/image-check/image-record.ts'
import { recordChecker } from '../../src/image-check/record-checker.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import type { Store } from '../../src/stores/store.ts'

const NOW = Date.UTC(2026, 10, 21)
const DAY = 86_400
const digest = digestOf('image')
const subject: RecordSubject = {
  repositories: ['ghcr.io/org/app'],
  platforms: ['linux/arm64'],
  contentKey: digestOf('content'),
  salt: '',
}
const question: CheckQuestion = {
  repositories: [{ registry: 'ghcr.io', path: 'org/app' }],
  version: { tag: 'content-1' },
  platforms: ['linux/arm64'],
  subject,
}
let folder = ''
let store: LocalStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'records-'))
  store = new LocalStore({ folder })
})
afterEach(() => rm(folder, { recursive: true }))

async function save(...records: readonly ImageRecord[]): Promise<void> {
  for (const record of records) await store.save(recordKey(subject, record), Buffer.from(''))
}

function ask(belief: { ttl?: number; negativeTtl?: number } = {}, from: Store = store): Promise<CheckAnswer> {
  return recordChecker(from, { ttl: DAY, negativeTtl: 0, now: NOW, ...belief }).check(question)
}

function present(secondsAgo: number): ImageRecord {
  return { kind: 'present', digest, writtenAt: NOW - secondsAgo * 1000 }
}

function absent(secondsAgo: number): ImageRecord {
  return { kind: 'absent', writtenAt: NOW - secondsAgo * 1000 }
}

describe('a record of an image', () => {
  test('says that it is in all its repositories, and since when', async () => {
    await save(present(60))
    expect(await ask()).toEqual({
      kind: 'found',
      digest,
      holders: question.repositories,
      reason: 'a record of 60 s ago',
    })
  })

  test.each([
    [90, '90 s ago'],
    [600, '10 min ago'],
    [3 * 3600, '3 h ago'],
  ])('of %d seconds is said to be of %s', async (seconds, text) => {
    await save(present(seconds))
    expect(await ask()).toMatchObject({ reason: `a record of ${text}` })
  })

  test('that has expired has nothing to say, but is remembered', async () => {
    await save(present(3 * DAY))
    expect(await ask()).toEqual({ kind: 'pass', reason: 'the record of 3 days ago has expired', lastKnown: digest })
  })

  test('from the future is not believed', async () => {
    await save(present(-120))
    expect(await ask()).toMatchObject({ kind: 'pass', reason: 'the record of 120 s in the future has expired' })
  })

  test('is not asked for with a time of 0', async () => {
    await save(present(1))
    expect(await ask({ ttl: 0 })).toEqual({ kind: 'pass', reason: 'records are not asked' })
  })

  test('that does not exist is nothing to say', async () => {
    expect(await ask()).toEqual({ kind: 'pass', reason: 'no record' })
  })
})

describe('a record of a missing image', () => {
  test('is believed for its own short time', async () => {
    await save(absent(20))
    expect(await ask({ negativeTtl: 30 })).toEqual({
      kind: 'missing',
      reason: 'it was not there 20 s ago, says a record',
      missingPlatforms: ['linux/arm64'],
    })
    expect(await ask({ negativeTtl: 20 })).toMatchObject({ kind: 'pass' })
  })

  test('is not believed unless that was asked for', async () => {
    await save(absent(1))
    expect(await ask()).toEqual({ kind: 'pass', reason: 'a record of 1 s ago says that it was gone' })
  })

  test('takes back what an older record says, believed or not', async () => {
    await save(present(60), absent(30))
    expect(await ask()).toMatchObject({ kind: 'pass' })
  })

  test('is taken back by a newer one', async () => {
    await save(absent(60), present(30))
    expect(await ask({ negativeTtl: 3600 })).toMatchObject({ kind: 'found', digest })
  })
})

test('a store that can not be had makes it unknown, with the reason', async () => {
  expect(await ask({}, new NoStore('no folder'))).toEqual({ kind: 'unknown', reason: 'off store: no folder' })
})

test('no record is asked about a name that may move', async () => {
  const checker = recordChecker(new NoStore('must not be asked'), { ttl: DAY, negativeTtl: 0, now: NOW })
  expect(await checker.check({ ...question, subject: undefined })).toMatchObject({ kind: 'pass' })
})
