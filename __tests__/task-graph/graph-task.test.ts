import { describe, expect, test } from '@jest/globals'
import { expectTask, parseTaskInputs } from '../../src/inputs/task-inputs.ts'
import { bindNeeds, filesMadeBy, type GraphTask } from '../../src/task-graph/graph-task.ts'
import { outputConflicts } from '../../src/task-graph/output-conflicts.ts'

function task(name: string, ...outputs: readonly string[]): GraphTask {
  const given = new Map([
    ['name', name],
    ['run', 'true'],
    ['inputs', 'src'],
    ['outputs', outputs.join('\n')],
  ])
  const { spec, waitLimit } = expectTask(parseTaskInputs((input) => given.get(input) ?? ''))
  return { name, needs: [], spec, waitLimit }
}

describe('a task bound to those that it needs', () => {
  const { spec } = task('lint')

  test('has their digests as inputs, and their files no more', () => {
    const bound = bindNeeds(spec, [
      { name: 'b', digest: 'two', files: [] },
      { name: 'a', digest: 'one', files: ['src/generated'] },
    ])
    expect(bound.inputs).toEqual([
      { kind: 'glob', pattern: 'src' },
      { kind: 'glob', pattern: '!src/generated' },
      { kind: 'value', name: 'needs.a', text: 'one' },
      { kind: 'value', name: 'needs.b', text: 'two' },
    ])
  })

  test('does not depend on the order in which they are named', () => {
    const needs = [
      { name: 'a', digest: 'one', files: [] },
      { name: 'b', digest: 'two', files: [] },
    ]
    expect(bindNeeds(spec, [...needs].reverse())).toEqual(bindNeeds(spec, needs))
  })

  test('reads the files of one that has no digest', () => {
    const bound = bindNeeds(spec, [{ name: 'a', digest: undefined, files: ['gen', 'more'] }])
    expect(bound.inputs.slice(1)).toEqual([
      { kind: 'glob', pattern: 'gen' },
      { kind: 'glob', pattern: 'more' },
    ])
  })
})

test('what a task makes leaves out what it takes out', () => {
  expect(filesMadeBy(task('a', 'dist', '!dist/tmp', 'value:version').spec)).toEqual(['dist'])
})

describe('outputs that two tasks make', () => {
  test.each([
    ['the same path', ['dist'], ['dist']],
    ['the same in other words', ['dist/**'], ['./dist/']],
    ['a file in the folder of another', ['dist/**'], ['dist/app.js']],
    ['a folder above that of another', ['out/js/a'], ['out']],
    ['a glob in the folder of another', ['dist'], ['dist/*.css']],
    ['the same glob', ['*.whl'], ['*.whl']],
  ])('%s', (_, first, second) => {
    expect(outputConflicts([task('a', ...first), task('b', ...second)])).toHaveLength(1)
  })

  test.each([
    ['other folders', ['dist/js'], ['dist/css']],
    ['names that begin alike', ['dist'], ['dist-old']],
    ['globs of other names', ['dist/*.js'], ['dist/*.css']],
  ])('are none with %s', (_, first, second) => {
    expect(outputConflicts([task('a', ...first), task('b', ...second)])).toEqual([])
  })

  test('are none within one task', () => {
    expect(outputConflicts([task('a', 'dist', 'dist/js', 'dist')])).toEqual([])
  })
})
