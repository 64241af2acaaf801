import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

/** Keyword and lines of every instruction below the first FROM: `RUN 2-4`. */
function outline(text: string): readonly string[] {
  const [stage] = parseDockerfile(text, 'Dockerfile').stages
  return (stage?.instructions ?? []).map(({ keyword, lines }) => `${keyword} ${lines.first}-${lines.last}`)
}

describe('the lines of an instruction', () => {
  const cases: readonly (readonly [sentence: string, text: string, expected: readonly string[]])[] = [
    ['a heredoc belongs to it', 'FROM a\nRUN <<EOF\nFROM x\nRUN pip install a\nEOF\nCMD x\n', ['RUN 2-5', 'CMD 6-6']],
    ['a heredoc for a file descriptor too', 'FROM a\nRUN python3 3<<EOF\nx\nEOF\nCMD x\n', ['RUN 2-4', 'CMD 5-5']],
    ['a heredoc word after spaces too', 'FROM a\nRUN cat << EOF\nRUN x\nEOF\nCMD x\n', ['RUN 2-4', 'CMD 5-5']],
    ['tabs may stand before the end of <<-', 'FROM a\nRUN <<-EOF\n\tRUN foo\n\tEOF\nCMD x\n', ['RUN 2-4', 'CMD 5-5']],
    [
      'two heredocs follow each other',
      'FROM a\nCOPY <<A <<B /x/\nRUN a\nA\nRUN b\nB\nCMD x\n',
      ['COPY 2-6', 'CMD 7-7'],
    ],
    ['<< within quotes is no heredoc', 'FROM a\nRUN echo "<<EOF"\nCMD x\n', ['RUN 2-2', 'CMD 3-3']],
    ['<<< is no heredoc', 'FROM a\nRUN cat <<< "abc"\nCMD x\n', ['RUN 2-2', 'CMD 3-3']],
    ['an open quote hides heredocs', "FROM a\nRUN echo it's <<EOF\nCMD x\n", ['RUN 2-2', 'CMD 3-3']],
    ['ENV and CMD have no heredocs', 'FROM a\nENV X=<<EOF\nCMD <<EOF\n', ['ENV 2-2', 'CMD 3-3']],
    ['the exec form has no heredocs', 'FROM a\nRUN ["a", "<<EOF"]\nCMD x\n', ['RUN 2-2', 'CMD 3-3']],
    ['a trigger may have one', 'FROM a\nONBUILD RUN <<EOF\nfoo\nEOF\nCMD x\n', ['ONBUILD 2-4', 'CMD 5-5']],
    ['comments and gaps don’t end a continuation', 'FROM a\nRUN x \\\n # c \\\n\n  y\nCMD x\n', ['RUN 2-5', 'CMD 6-6']],
    ['spaces may follow the continuation', 'FROM a\nRUN x \\  \n  y\nCMD x\n', ['RUN 2-3', 'CMD 4-4']],
    ['a doubled backslash continues nothing', 'FROM a\nRUN echo a\\\\\nCMD x\n', ['RUN 2-2', 'CMD 3-3']],
    ['a continuation may be open at the end', 'FROM a\nRUN pip install a \\\n', ['RUN 2-2']],
    ['the last line ending may be missing', 'FROM a\nRUN <<EOF\nx\nEOF', ['RUN 2-4']],
    [
      'carriage returns belong to the line ending',
      'FROM a\r\nRUN x \\\r\n y\r\nRUN <<E\r\nz\r\nE\r\n',
      ['RUN 2-3', 'RUN 4-6'],
    ],
    [
      'the escape directive changes continuations',
      '# escape=`\nFROM a\nRUN x `\n  y\nRUN c:\\\n',
      ['RUN 3-4', 'RUN 5-5'],
    ],
    ['a directive after a gap is a comment', '\n# escape=`\nFROM a\nRUN x \\\n  y\n', ['RUN 4-5']],
    ['keywords may be indented and lower case', '  FROM a\n\trun x\n', ['RUN 2-2']],
  ]
  test.each(cases)('%s', (_, text, expected) => {
    expect(outline(text)).toEqual(expected)
  })
})

describe('what stands in a file', () => {
  test('stages have names in lower case, bases and platforms as written', () => {
    const { stages, globalArgs } = parseDockerfile(
      `ARG V=3\nFROM --platform=$BUILDPLATFORM python:\${V} as Builder\nRUN x\nFROM builder\n`,
      'Dockerfile',
    )
    expect(globalArgs.map(({ rest }) => rest)).toEqual(['V=3'])
    expect(stages.map(({ index, name, base, platform }) => ({ index, name, base, platform }))).toEqual([
      { index: 0, name: 'builder', base: `python:\${V}`, platform: '$BUILDPLATFORM' },
      { index: 1, name: undefined, base: 'builder', platform: undefined },
    ])
  })

  test('flags are found beside each other, with their quotes taken off', () => {
    const [stage] = parseDockerfile('FROM a\nCOPY --link --from=b --chown="1:1" x y\n', 'Dockerfile').stages
    expect(stage?.instructions[0]).toMatchObject({
      flags: [
        { name: 'link', value: undefined },
        { name: 'from', value: 'b' },
        { name: 'chown', value: '1:1' },
      ],
      rest: 'x y',
    })
  })

  test('offsets cover the text of an instruction, heredocs and all, without its last line ending', () => {
    const text = 'FROM a\r\nRUN <<E \r\nx\r\nE\r\nCMD y\r\n'
    const [stage] = parseDockerfile(text, 'Dockerfile').stages
    const run = stage?.instructions[0]
    expect(text.slice(run?.start, run?.end)).toBe('RUN <<E \r\nx\r\nE')
    expect(text.slice(run?.start, run?.headEnd)).toBe('RUN <<E ')
    expect(run?.heredocs).toEqual([{ name: 'E', content: 'x\r\n' }])
  })

  test('comments above an instruction end at a gap', () => {
    const [stage] = parseDockerfile('FROM a\n# far\n\n# near\n  # image-cache: off\nRUN x\n', 'Dockerfile').stages
    expect(stage?.instructions[0]?.comments).toEqual(['near', 'image-cache: off'])
  })

  test('a frontend of the user’s own may have instructions of its own', () => {
    expect(parseDockerfile('# syntax=registry.example/more\nFROM a\nINCLUDE x\n', 'Dockerfile').stages).toHaveLength(1)
  })

  test('a byte order mark is no part of the first line', () => {
    const { directives } = parseDockerfile('\uFEFF# syntax=docker/dockerfile:1\nFROM a\n', 'Dockerfile')
    expect(directives).toEqual([{ name: 'syntax', value: 'docker/dockerfile:1', line: 1 }])
  })
})

describe('a mistake is named with file and line', () => {
  const cases: readonly (readonly [text: string, message: string])[] = [
    ['FROM a\n\nFORM b\n', 'app/Dockerfile:3: unknown instruction: FORM'],
    ['', 'app/Dockerfile:1: the file has no instructions'],
    ['# only a comment\n', 'app/Dockerfile:1: the file has no instructions'],
    ['ARG a\nARG b\n', 'app/Dockerfile:2: there is no FROM'],
    ['RUN x\nFROM a\n', 'app/Dockerfile:1: RUN stands before the first FROM'],
    ['ARG V\nFROM\n', 'app/Dockerfile:2: FROM needs an image'],
    ['FROM a b\n', 'app/Dockerfile:1: FROM requires either one or three arguments (FROM image AS name)'],
    ['FROM a\nRUN <<EOF\nx\nCMD y\n', 'app/Dockerfile:2: unterminated heredoc: no line says EOF'],
    ['FROM a\nCOPY x\n', 'app/Dockerfile:2: COPY requires at least two arguments'],
    ['FROM a\nCOPY --from=1 x y\n', 'app/Dockerfile:2: COPY --from=1: there is no stage 1, the last one is 0'],
    ['FROM a\nENV X\n', 'app/Dockerfile:2: ENV must have two arguments'],
    ['FROM a\nRUN ["a", 1]\n', 'app/Dockerfile:2: a JSON array may hold strings only'],
    ['# escape=x\nFROM a\n', 'app/Dockerfile:1: the escape character can be \\ or `, not "x"'],
  ]
  test.each(cases)('%j', (text, message) => {
    const parse = (): unknown => parseDockerfile(text, 'app/Dockerfile')
    expect(parse).toThrow(ImageCacheError)
    expect(parse).toThrow(message)
  })

  test('a name in COPY --from may be an image or a named context, so it is no mistake', () => {
    expect(parseDockerfile('FROM a\nCOPY --from=elsewhere x y\n', 'Dockerfile').stages).toHaveLength(1)
  })
})
