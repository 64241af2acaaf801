import { describe, expect, test } from '@jest/globals'
import { originalLine } from '../../src/dockerfile/original-line.ts'

const original = `FROM base
RUN pip install six
RUN make
COPY src/ ./
RUN make
`
const rewritten = `# ours
FROM tools AS group
RUN make ours
FROM base
# image-cache: layers of: pip install six
COPY --link --from=group /layer/ /
RUN make
COPY --link src/ ./
RUN make
`

describe('the line of the user’s Dockerfile', () => {
  test.each([
    ['FROM', 4, 1],
    ['the first of two equal steps', 7, 3],
    ['a copy that was linked', 8, 4],
    ['the second of two equal steps', 9, 5],
  ])('is found for %s', (_, line, expected) => {
    expect(originalLine(original, rewritten, line)).toBe(expected)
  })

  test.each([
    ['a stage of ours', 3],
    ['a step in the place of an install', 6],
    ['an empty line', 10],
    ['no line at all', 99],
  ])('is not there for %s', (_, line) => {
    expect(originalLine(original, rewritten, line)).toBeUndefined()
  })

  test('is the same where nothing was rewritten', () => {
    for (const line of [1, 2, 3, 4, 5]) expect(originalLine(original, original, line)).toBe(line)
  })

  test('is found with other line ends', () => {
    expect(originalLine(original.replaceAll('\n', '\r\n'), rewritten, 9)).toBe(5)
  })
})
