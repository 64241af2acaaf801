import { expect, test } from '@jest/globals'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { usedBuildArgs } from '../../src/dockerfile/used-build-args.ts'

function used(text: string, given: readonly string[], target?: string): readonly string[] {
  const buildArgs = Object.fromEntries(given.map((name) => [name, 'given']))
  return usedBuildArgs(parseDockerfile(text, 'Dockerfile'), { buildArgs, target })
}

const cases: readonly [string, string, readonly string[], readonly string[]][] = [
  ['declared in the stage', 'FROM a\nARG X\n', ['X', 'Y'], ['X']],
  ['declared with others on one line', 'FROM a\nARG X=1 Y\n', ['X', 'Y', 'Z'], ['X', 'Y']],
  ['declared in a stage that the target stands on', 'FROM a AS b\nARG X\nFROM b\n', ['X'], ['X']],
  ['declared in a stage that files are taken from', 'FROM a AS b\nARG X\nFROM c\nCOPY --from=b / /\n', ['X'], ['X']],
  ['declared in a stage that nobody needs', 'FROM a AS b\nARG X\nFROM c\n', ['X'], []],
  ['global and in FROM', 'ARG X\nFROM a:$X\n', ['X'], ['X']],
  ['global and in the platform', 'ARG X\nFROM --platform=$X a\n', ['X'], ['X']],
  ['global and in a default within FROM', `ARG X\nFROM a:\${TAG:-$X}\n`, ['X'], ['X']],
  ['global and in the default of one in FROM', 'ARG X=1\nARG Y=$X\nARG Z=$Y\nFROM a:$Z\n', ['X', 'Y'], ['X', 'Y']],
  ['global and in FROM of a stage that nobody needs', 'ARG X=1\nFROM a:$X AS b\nFROM c\n', ['X'], []],
  ['global and nowhere used', 'ARG X\nFROM a\n', ['X'], []],
  ['global and declared again in the stage', 'ARG X\nFROM a\nARG X\n', ['X'], ['X']],
  ['in a trigger', 'FROM a AS b\nONBUILD ARG X\nFROM b\n', ['X'], ['X']],
  ['one that BuildKit sets, given all the same', 'FROM a\nARG TARGETARCH\n', ['TARGETARCH'], ['TARGETARCH']],
  ['one that BuildKit sets, not given', 'FROM a\nARG TARGETARCH\n', [], []],
  ['a proxy', 'FROM a\n', ['HTTP_PROXY'], []],
  ['a time for reproducible builds', 'FROM a\n', ['SOURCE_DATE_EPOCH'], []],
  ['one that steers the frontend', 'FROM a\n', ['BUILDKIT_CONTEXT_KEEP_GIT_DIR'], ['BUILDKIT_CONTEXT_KEEP_GIT_DIR']],
  ['one that writes an inline cache', 'FROM a\n', ['BUILDKIT_INLINE_CACHE'], []],
  ['anything for another frontend', '# syntax=example.org/own\nFROM a\n', ['X'], ['X']],
]

test.each(cases)('a build argument %s', (_, text, given, expected) => {
  expect(used(text, given)).toEqual(expected)
})

test('the target decides which stages are needed', () => {
  const text = 'FROM a AS one\nARG X\nFROM a AS two\nARG Y\n'
  expect(used(text, ['X', 'Y'], 'one')).toEqual(['X'])
  expect(used(text, ['X', 'Y'])).toEqual(['Y'])
})
