import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { explainMiss, pastKey } from '../../src/task-cache/explain-miss.ts'
import { decodeHistory, encodeHistory } from '../../src/task-cache/key-history.ts'
import { textPart } from '../../src/task-cache/key-parts.ts'
import { type KeyPart, partDigest } from '../../src/task-cache/task-key.ts'

const [now, earlier] = [digestOf('now'), digestOf('earlier')]

function file(name: string, content: string): KeyPart {
  return { kind: 'input', name, digest: partDigest(content) }
}

function why(after: readonly KeyPart[], ...before: readonly (readonly KeyPart[])[]): string {
  return explainMiss(
    now,
    after,
    before.map((parts) => pastKey(earlier, 0, {}, parts)),
  )
}

const run = (text: string): KeyPart => ({ kind: 'command', name: '', digest: partDigest(text) })

describe('a miss is explained', () => {
  test.each<[string, readonly KeyPart[], readonly KeyPart[]]>([
    ['input requirements.txt changed', [file('requirements.txt', 'a')], [file('requirements.txt', 'b')]],
    ['input b added', [file('a', '')], [file('a', ''), file('b', '')]],
    ['input b removed', [file('a', ''), file('b', '')], [file('a', '')]],
    ['env CUDA 12.4 -> 12.6', [textPart('env', 'CUDA', '12.4')], [textPart('env', 'CUDA', '12.6')]],
    ['env CUDA (not set) -> 12.6', [textPart('env', 'CUDA', undefined)], [textPart('env', 'CUDA', '12.6')]],
    [
      'cmd node --version v22 -> v24',
      [textPart('cmd', 'node --version', 'v22')],
      [textPart('cmd', 'node --version', 'v24')],
    ],
    ['the command changed', [run('a')], [run('b')]],
    ['version 1 -> 2', [textPart('version', '', '1')], [textPart('version', '', '2')]],
    ['env API_TOKEN changed', [textPart('env', 'API_TOKEN', 'one')], [textPart('env', 'API_TOKEN', 'another')]],
    ['env LONG changed', [textPart('env', 'LONG', 'x'.repeat(99))], [textPart('env', 'LONG', 'y'.repeat(99))]],
  ])('%s', (expected, before, after) => {
    expect(why(after, before)).toBe(expected)
  })

  test('by the nearest earlier key, not by the newest', () => {
    const far = [file('a', '1'), file('b', '1'), file('c', '1')]
    const near = [file('a', '2'), file('b', '2'), file('c', '3')]
    expect(why([file('a', '2'), file('b', '2'), file('c', '2')], far, near)).toBe('input c changed')
  })

  test('with a few names and the number of the others', () => {
    const files = (content: string): readonly KeyPart[] => [1, 2, 3, 4, 5, 6].map((n) => file(`f${n}`, content))
    expect(why(files('b'), files('a'))).toBe(
      'input f1 changed; input f2 changed; input f3 changed; input f4 changed; and 2 more',
    )
  })

  test('as the first of its task', () => {
    expect(why([])).toBe('no earlier result of this task')
  })

  test('as evicted, when the same key was there before', () => {
    expect(explainMiss(now, [], [pastKey(earlier, 0, {}, [file('a', '')]), pastKey(now, 0, {}, [])])).toMatch(/evicted/)
  })

  test('by folders, when there are too many files to remember', () => {
    const files = (changed: string): readonly KeyPart[] =>
      Array.from({ length: 3000 }, (_, n) => file(`src/${n % 30}/${n}`, n === 31 ? changed : ''))
    const past = pastKey(earlier, 0, {}, files('old'))
    expect(past.parts.length).toBe(30)
    expect(explainMiss(now, files('new'), [past])).toBe('input src/1/* changed')
  })
})

describe('a history', () => {
  const past = pastKey(earlier, 5, { run: 'run 1', commit: 'abc' }, [file('a', ''), textPart('env', 'A', '1')])

  test('comes back as it was written, newest first, each key once', async () => {
    const latest = pastKey(now, 6, {}, [])
    const body = await encodeHistory(latest, [past, latest])
    expect(await decodeHistory(body)).toEqual([latest, past])
  })

  test('holds a limited number of keys', async () => {
    const many = Array.from({ length: 50 }, (_, n) => pastKey(digestOf(String(n)), n, {}, []))
    expect((await decodeHistory(await encodeHistory(past, many))).length).toBe(10)
  })

  test.each([
    ['that is cut off', (body: Buffer) => body.subarray(0, body.length - 6)],
    [
      'that is changed',
      (body: Buffer) => Buffer.from(body.map((byte, at) => (at === body.length - 8 ? byte ^ 1 : byte))),
    ],
    ['that is no history', () => Buffer.from('hello')],
  ])('%s says nothing', async (_, damage) => {
    const body = await encodeHistory(past, [])
    expect(await decodeHistory(damage(Buffer.from(body)))).toEqual([])
  })

  test('tells too little of a secret to guess it by', () => {
    const [part] = pastKey(now, 0, {}, [textPart('env', 'DB_PASSWORD', 'hunter2')]).parts
    expect(part).toEqual({ kind: 'env', name: 'DB_PASSWORD', digest: expect.stringMatching(/^[0-9a-f]{3}$/) })
  })
})
