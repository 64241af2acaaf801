import { describe, expect, test } from '@jest/globals'
import { readShellCommand } from '../../src/dockerfile/shell-command.ts'

const variables = new Map([
  ['V', '2.1'],
  ['SPEC', '>=2.0'],
  ['TWO', 'a b'],
  ['GLOB', '*'],
  ['EMPTY', ''],
  ['EXTRAS', '[web,s3]'],
])
const read = (source: string): ReturnType<typeof readShellCommand> =>
  readShellCommand(source, (name) => variables.get(name))

describe('one plain command', () => {
  const cases: readonly (readonly [source: string, words: readonly string[]])[] = [
    ['pip install  a\tb', ['pip', 'install', 'a', 'b']],
    ['pip install "a>=1,<2" \'b<3\'', ['pip', 'install', 'a>=1,<2', 'b<3']],
    ['pip install a\\>\\=1 b\\ c', ['pip', 'install', 'a>=1', 'b c']],
    ['pip install "a; python_version<\'3.9\'"', ['pip', 'install', "a; python_version<'3.9'"]],
    [`pip install torch==$V "x==\${V}"`, ['pip', 'install', 'torch==2.1', 'x==2.1']],
    ['pip install torch$SPEC', ['pip', 'install', 'torch>=2.0']],
    ['pip install "$TWO" "" "a\\"b\\\\\\n"', ['pip', 'install', 'a b', '', 'a"b\\\\n']],
    ['pip install $TWO "c==1" $EMPTY .$EMPTY "$EMPTY"', ['pip', 'install', 'a', 'b', 'c==1', '.', '']],
    ['pip install x$TWO$V', ['pip', 'install', 'xa', 'b2.1']],
    ['pip install .$EXTRAS', ['pip', 'install', '.[web,s3]']],
    ['pip install uvicorn[standard] a~=1.0 b#c', ['pip', 'install', 'uvicorn[standard]', 'a~=1.0', 'b#c']],
  ]
  test.each(cases)('%s', (source, words) => {
    expect(read(source)).toEqual({ assignments: {}, words })
  })

  test('assignments before the program are kept apart', () => {
    expect(read('A=1 B="x y" pip install c=d')).toEqual({
      assignments: { A: '1', B: 'x y' },
      words: ['pip', 'install', 'c=d'],
    })
  })
})

describe('anything more is an obstacle', () => {
  const cases: readonly (readonly [source: string, code: string, part: string])[] = [
    ['pip install a && pip install b', 'several-commands', '&&'],
    ['pip install a; true', 'several-commands', ';'],
    ['pip install a || true', 'several-commands', '||'],
    ['cat r.txt | pip install -r -', 'several-commands', '|'],
    ['pip install a &', 'several-commands', '&'],
    ['pip install tensorflow>=2.16.1', 'shell-syntax', 'tensorflow>=2.16.1 is not quoted'],
    ['pip install "a" b<3', 'shell-syntax', 'b<3 is not quoted'],
    ['pip install a > /dev/null', 'shell-syntax', 'redirects with >'],
    ['pip install a 2>&1', 'shell-syntax', 'redirects'],
    ['pip install a # --no-cache-dir', 'shell-syntax', 'comment'],
    ['pip install $(cat r.txt)', 'shell-syntax', 'only the shell'],
    ['pip install `cat r.txt`', 'shell-syntax', 'within the command'],
    ['pip install "`x`"', 'shell-syntax', 'within the command'],
    ['(pip install a)', 'shell-syntax', 'subshell'],
    ['pip install a==1.*', 'shell-syntax', 'pattern'],
    ['pip install *.whl', 'shell-syntax', 'pattern'],
    ['pip install {a,b}', 'shell-syntax', 'pattern'],
    ['pip install ~/x', 'shell-syntax', 'home'],
    ['pip install $UNKNOWN', 'shell-syntax', '$UNKNOWN'],
    ['pip install $GLOB', 'shell-syntax', 'pattern'],
    ['X=$TWO pip install a', 'shell-syntax', 'variable'],
    ['export X=$TWO', 'shell-syntax', 'variable'],
    [`pip install \${V:-1}`, 'shell-syntax', 'only the shell'],
    ['pip install "a', 'shell-syntax', 'not closed'],
    ["pip install 'a", 'shell-syntax', 'not closed'],
  ]
  test.each(cases)('%s', (source, code, part) => {
    expect(read(source)).toMatchObject({ code, sentence: expect.stringContaining(part) })
  })
})
