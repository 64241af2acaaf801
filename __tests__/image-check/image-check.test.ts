import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import {
  type CheckAnswer,
  type CheckerName,
  type CheckQuestion,
  checkImage,
  type ImageChecker,
} from '../../src/image-check/image-check.ts'

const digest = digestOf('image')
const older = digestOf('older')
const question: CheckQuestion = {
  repositories: [{ registry: 'ghcr.io', path: 'org/app' }],
  version: { tag: 'v1' },
  platforms: [],
  subject: undefined,
}
const found: CheckAnswer = { kind: 'found', digest, holders: question.repositories, reason: 'seen' }
const missing: CheckAnswer = { kind: 'missing', reason: 'not there', missingPlatforms: ['linux/arm64'] }
const unknown: CheckAnswer = { kind: 'unknown', reason: 'down' }
const pass: CheckAnswer = { kind: 'pass', reason: 'no record' }
const expired: CheckAnswer = { kind: 'pass', reason: 'expired', lastKnown: older }

/** A checker that answers one thing and notes that it was asked. */
function answering(name: CheckerName, answer: CheckAnswer, asked: CheckerName[]): ImageChecker {
  return {
    name,
    check: async () => {
      asked.push(name)
      return answer
    },
  }
}

describe('the chain of checkers', () => {
  test.each<[string, readonly [CheckAnswer, CheckAnswer], object, readonly CheckerName[]]>([
    ['the first that found it decides', [found, missing], { kind: 'found', via: 'record' }, ['record']],
    ['the first that knows it missing decides', [missing, found], { kind: 'missing', reason: 'not there' }, ['record']],
    [
      'who has nothing to say leaves it to the next',
      [pass, found],
      { kind: 'found', via: 'registry' },
      ['record', 'registry'],
    ],
    ['who can not tell leaves it to the next', [unknown, missing], { kind: 'missing' }, ['record', 'registry']],
    [
      'when nobody can tell it is unknown, with what each said',
      [unknown, unknown],
      { kind: 'unknown', reason: 'record: down; registry: down', lastKnown: undefined },
      ['record', 'registry'],
    ],
    [
      'nothing to say is not missing',
      [pass, unknown],
      { kind: 'unknown', reason: 'record: no record; registry: down' },
      ['record', 'registry'],
    ],
    [
      'what an expired record knew is kept',
      [expired, unknown],
      { kind: 'unknown', lastKnown: older },
      ['record', 'registry'],
    ],
  ])('%s', async (_, [first, second], expected, wereAsked) => {
    const asked: CheckerName[] = []
    const check = await checkImage(question, [answering('record', first, asked), answering('registry', second, asked)])
    expect(check).toMatchObject(expected)
    expect(asked).toEqual(wereAsked)
    expect(check.asked.map(({ by }) => by)).toEqual(wereAsked)
  })

  test('without checkers is unknown', async () => {
    expect(await checkImage(question, [])).toEqual({
      kind: 'unknown',
      reason: 'nobody was asked',
      lastKnown: undefined,
      asked: [],
    })
  })
})
