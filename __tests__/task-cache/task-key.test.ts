import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { checkStoreKey } from '../../src/stores/store-key.ts'
import { textPart } from '../../src/task-cache/key-parts.ts'
import {
  entryKey,
  entryPrefix,
  generationOf,
  historyKey,
  historyPrefix,
  type KeyPart,
  type PartKind,
  partDigest,
  taskKey,
} from '../../src/task-cache/task-key.ts'

const subject = { name: 'build', scope: 'org/app', salt: '' }

function key(parts: readonly KeyPart[], other: Partial<typeof subject> = {}): string {
  return taskKey({ ...subject, ...other }, parts)
}

describe('the key of a task', () => {
  // Pairs that share a key where parts are joined as plain text (seen in other caches).
  test.each<[string, readonly KeyPart[], readonly KeyPart[]]>([
    ['neighbours that run into each other', [textPart('env', 'A', 'bc')], [textPart('env', 'Ab', 'c')]],
    [
      'a variable that holds another one',
      [textPart('env', 'A', '1 B=2')],
      [textPart('env', 'A', '1'), textPart('env', 'B', '2')],
    ],
    ['a variable and a value of one name', [textPart('env', 'A', '1')], [textPart('value', 'A', '1')]],
    ['two values and one', [textPart('value', '', 'ab')], [textPart('value', '', 'a'), textPart('value', '', 'b')]],
    ['an unset and an empty variable', [textPart('env', 'A', undefined)], [textPart('env', 'A', '')]],
    ['a variable that says it is not set', [textPart('env', 'A', undefined)], [textPart('env', 'A', '(not set)')]],
    ['a script and a program of the same words', [command('a b')], [command(['a', 'b'])]],
    ['arguments that are joined otherwise', [command(['a', 'b c'])], [command(['a b', 'c'])]],
    ['a file as input and as code', [file('input')], [file('code')]],
    ['a path that goes on', [{ ...file('input'), name: 'a' }], [{ ...file('input'), name: 'a/' }]],
  ])('tells %s apart', (_, one, other) => {
    expect(key(one)).not.toBe(key(other))
  })

  test.each<[string, Partial<typeof subject>]>([
    ['name', { name: 'test' }],
    ['scope', { scope: 'org/other' }],
    ['salt', { salt: '1' }],
  ])('is another one for another %s', (_, other) => {
    expect(key([], other)).not.toBe(key([]))
  })

  test('does not take a name for a part of the scope', () => {
    expect(key([], { scope: 'a', name: 'bc' })).not.toBe(key([], { scope: 'ab', name: 'c' }))
  })

  test('changes with every change of a part, and with nothing else', () => {
    const part = fc.record({
      kind: fc.constantFrom<PartKind>('input', 'env', 'value'),
      name: fc.string({ maxLength: 3 }),
      value: fc.string({ maxLength: 3 }),
    })
    const digests = (parts: readonly { kind: PartKind; name: string; value: string }[]): readonly KeyPart[] =>
      parts.map(({ kind, name, value }) => ({ kind, name, digest: partDigest(value) }))
    const canonical = (parts: readonly KeyPart[]): string =>
      JSON.stringify(parts.map((one) => JSON.stringify(one)).sort())
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.array(part, { maxLength: 4 }), (one, other) => {
        const same = canonical(digests(one)) === canonical(digests(other))
        expect(key(digests(one)) === key(digests(other))).toBe(same)
        expect(key(digests([...one].reverse()))).toBe(key(digests(one)))
      }),
    )
  })
})

describe('the keys of entries', () => {
  const digest = taskKey(subject, [])

  test('are such as all stores take, for the longest name', () => {
    const long = { name: 'ß/Build & Test:'.repeat(40), scope: 'x'.repeat(900), salt: 's' }
    expect(checkStoreKey(entryKey(long, digest, 12))).toBeUndefined()
    expect(checkStoreKey(historyKey(long, 1e13, 'abcdef01'))).toBeUndefined()
  })

  test('begin with the prefix that they are looked up by, and tell their generation', () => {
    const entry = entryKey(subject, digest, 3)
    expect(entry.startsWith(`${entryPrefix(subject, digest)}-`)).toBe(true)
    expect(generationOf(entry)).toBe(3)
    expect(generationOf(entryPrefix(subject, digest))).toBeUndefined()
    expect(historyKey(subject, 0, 'a').startsWith(`${historyPrefix(subject)}-`)).toBe(true)
  })

  test('say the name of the task to people', () => {
    expect(entryKey({ ...subject, name: 'Unit tests' }, digest, 0)).toMatch(/-g0\.unit_tests$/)
  })
})

function command(run: string | readonly string[]): KeyPart {
  return { kind: 'command', name: '', digest: partDigest(run) }
}

function file(kind: PartKind): KeyPart {
  return { kind, name: 'a.txt', digest: partDigest('x') }
}
