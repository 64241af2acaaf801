import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import {
  type ImageRecord,
  isFresh,
  type RecordSubject,
  readRecordKey,
  recordKey,
  recordPrefix,
} from '../../src/image-check/image-record.ts'

const subject: RecordSubject = {
  repositories: ['ghcr.io/org/app'],
  platforms: ['linux/amd64'],
  contentKey: digestOf('content'),
  salt: '',
}
const record: ImageRecord = { kind: 'present', digest: digestOf('image'), writtenAt: Date.UTC(2026, 10, 21) }
const absent: ImageRecord = { kind: 'absent', writtenAt: Date.UTC(2026, 10, 21) }

test('a record comes back out of its key', () => {
  expect(readRecordKey(subject, recordKey(subject, record))).toEqual(record)
  expect(readRecordKey(subject, recordKey(subject, absent))).toEqual(absent)
})

test.each([0, 0.1, 61.5, 86_400])('a record tells that the last full build took %d s', (fullSeconds) => {
  const told = { ...record, fullSeconds }
  expect(readRecordKey(subject, recordKey(subject, told))).toEqual(told)
})

test('a time that is too long to be one is not told', () => {
  expect(readRecordKey(subject, recordKey(subject, { ...record, fullSeconds: 1e9 }))).toEqual(record)
})

test('a key obeys the rules of the cache service', () => {
  for (const one of [record, { ...record, fullSeconds: 12.3 }, absent])
    expect(recordKey(subject, one)).toMatch(/^[a-z0-9-]{1,512}$/)
})

test.each<[string, Partial<RecordSubject>]>([
  ['repository', { repositories: ['ghcr.io/org/other'] }],
  ['platform set', { platforms: ['linux/arm64'] }],
  ['content', { contentKey: digestOf('other') }],
  ['salt', { salt: 'x' }],
])("another %s doesn't see the record", (_, change) => {
  const other = { ...subject, ...change }
  expect(recordPrefix(other)).not.toBe(recordPrefix(subject))
  expect(readRecordKey(other, recordKey(subject, record))).toBeUndefined()
})

test('the order of repositories and platforms makes no other record', () => {
  const two = { ...subject, repositories: ['a', 'b'], platforms: ['x', 'y'] }
  expect(recordPrefix({ ...two, repositories: ['b', 'a'], platforms: ['y', 'x'] })).toBe(recordPrefix(two))
})

test.each([
  '',
  'x',
  'absent',
  'absent-0',
  'absent-000000000-more',
  `${'0'.repeat(63)}-000000000`,
  `${'0'.repeat(64)}-0`,
  `${'0'.repeat(64)}-000000000-more`,
])('a key with the suffix %j is no record', (suffix) => {
  expect(readRecordKey(subject, `${recordPrefix(subject)}-${suffix}`)).toBeUndefined()
})

describe('a record', () => {
  const day = 86_400
  test.each<[string, number, number, boolean]>([
    ['is believed within its time', record.writtenAt + 1000, day, true],
    ['is believed to its last millisecond', record.writtenAt + day * 1000 - 1, day, true],
    ['expires', record.writtenAt + day * 1000, day, false],
    ['from the future is not believed', record.writtenAt - 120_000, day, false],
    ['a few seconds ahead of our clock is', record.writtenAt - 5000, day, true],
    ['is never believed with a time of 0', record.writtenAt, 0, false],
    ['a few seconds ahead is not believed with a time of 0', record.writtenAt - 5000, 0, false],
  ])('%s', (_, now, ttl, fresh) => {
    expect(isFresh(record, ttl, now)).toBe(fresh)
  })
})
