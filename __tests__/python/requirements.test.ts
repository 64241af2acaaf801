import { describe, expect, test } from '@jest/globals'
import { parseRequirements } from '../../src/python/requirements.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)

function obstacleOf(text: string): unknown {
  const { lines, obstacles } = parseRequirements(text, 'requirements.txt')
  return { lines: lines.length, obstacles: obstacles.map(({ code, line }) => ({ code, line })) }
}

describe('parseRequirements', () => {
  test('reads packages with their lines and hashes', () => {
    const text = `# pinned\nfoo==1.0 \\\n    --hash=sha256:${A} \\\n    --hash sha256:${B.toUpperCase()}\nBar_Baz ; python_version < "4"\n`
    expect(parseRequirements(text, 'reqs/base.txt')).toEqual({
      lines: [
        { file: 'reqs/base.txt', line: 2, name: 'foo', text: 'foo==1.0', hashes: [`sha256:${A}`, `sha256:${B}`] },
        { file: 'reqs/base.txt', line: 5, name: 'bar-baz', text: 'bar-baz ; python_version < "4"', hashes: [] },
      ],
      nested: [],
      constraints: [],
      settings: {},
      onlyBinary: [],
      obstacles: [],
    })
  })

  test('reads settings, several on a line as well', () => {
    const text = [
      '-i https://index.example/simple --extra-index-url=https://more.example/simple',
      '--extra-index-url "https://third.example/simple"',
      '--find-links https://wheels.example/',
      '--pre --prefer-binary',
      '--only-binary=:all:',
      '--no-binary :none:',
    ].join('\n')
    const { settings, onlyBinary, obstacles } = parseRequirements(text, 'requirements.txt')
    expect(settings).toEqual({
      indexUrl: 'https://index.example/simple',
      extraIndexUrls: ['https://more.example/simple', 'https://third.example/simple'],
      findLinks: ['https://wheels.example/'],
      preReleases: true,
    })
    expect(onlyBinary).toEqual([':all:'])
    expect(obstacles).toEqual([])
  })

  test('takes nested files as relative to the file that names them', () => {
    const text = '-r base.txt\n--requirement=../common/all.txt\n-c constraints.txt\n-rshort.txt\n-c /etc/pins.txt\n'
    const { nested, constraints } = parseRequirements(text, 'app/reqs/dev.txt')
    expect(nested).toEqual([
      { path: 'app/reqs/base.txt', line: 1 },
      { path: 'app/common/all.txt', line: 2 },
      { path: 'app/reqs/short.txt', line: 4 },
    ])
    expect(constraints).toEqual([
      { path: 'app/reqs/constraints.txt', line: 3 },
      { path: '/etc/pins.txt', line: 5 },
    ])
  })

  test.each([
    ['an editable install', '-e .', 'not-only-wheels'],
    ['an editable install in long form', '--editable=git+https://git.example/a#egg=a', 'not-only-wheels'],
    ['a URL', 'a @ https://index.example/a.whl', 'not-only-wheels'],
    ['a path', './a', 'not-only-wheels'],
    ['a build from source', '--no-binary a', 'not-only-wheels'],
    ['a local folder of wheels', '--find-links ./wheels', 'not-only-wheels'],
    ['an unknown option', '--trusted-host index.example', 'unknown-option'],
    ['an unknown option with a value', '--config-settings=x=y', 'unknown-option'],
    ['an option of a package', 'a --global-option=x', 'unknown-option'],
    ['a hash of another kind', 'a==1 --hash=md5:00', 'unknown-option'],
    ['an option without its value', '--index-url', 'unknown-option'],
    ['a quote that is not closed', '--index-url "https://index.example', 'unknown-option'],
    ['a value from the environment', `a @ \${WHEELS}/a.whl`, 'environment'],
    ['an index from the environment', `-i https://\${USER_NAME}@index.example`, 'environment'],
    ['a requirements file behind a URL', '-r https://index.example/r.txt', 'file-not-found'],
  ])('meets %s with an obstacle and its line', (_, line, code) => {
    expect(obstacleOf(`good\n${line}\n`)).toEqual({ lines: 1, obstacles: expect.arrayContaining([{ code, line: 2 }]) })
  })

  test('goes on reading after an obstacle', () => {
    expect(obstacleOf('-e .\na\n./b\nc\n')).toEqual({
      lines: 2,
      obstacles: [
        { code: 'not-only-wheels', line: 1 },
        { code: 'not-only-wheels', line: 3 },
      ],
    })
  })
})
