import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { linkCopies } from '../../src/dockerfile/link-copies.ts'
import { needsFiles } from '../../src/dockerfile/needs-files.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

type Places = NonNullable<BaseImage['places']>
const env = { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' }
const plain: Places = new Map([
  ['/usr', 'plain'],
  ['/usr/src', 'plain'],
])

function viewOf(places: Places | undefined): BuildView {
  return { baseImage: () => ({ env, places }), contextFiles: ['main.py', 'app/a.py', 'uv.lock', 'pyproject.toml'] }
}

function isLinked(steps: string, places: Places | undefined): boolean | undefined {
  const dockerfile = parseDockerfile(`FROM python\n${steps}\n`, 'Dockerfile')
  return linkCopies(dockerfile, [{ stage: 0, steps: [] }], viewOf(places)).links.at(-1)?.linked
}

describe('a COPY into /usr/src/app is linked', () => {
  test('where the base image has nothing but plain folders on the way', () => {
    expect(isLinked('WORKDIR /usr/src/app\nCOPY app .', plain)).toBe(true)
    expect(isLinked('WORKDIR /usr/src/app\nCOPY app .', new Map())).toBe(true)
  })

  test.each<[string, string, Places | undefined]>([
    ['its files are not known', 'COPY app /usr/src/app/', undefined],
    ['it has such a folder of its own', 'COPY app /usr/src/app/', new Map([...plain, ['/usr/src/app', 'other']])],
    ['a folder on the way is a link', 'COPY app /usr/src/app/', new Map([...plain, ['/usr/src', 'other']])],
    ['it would give /usr away', 'COPY --chown=1000:1000 app /usr/src/app/', plain],
    ['a step may have made it', 'RUN mkdir -m 700 /usr/src/app\nCOPY app /usr/src/app/', plain],
    ['it goes to /usr/src itself', 'COPY app /usr/src/', plain],
    ['it goes beside it', 'COPY app /usr/share/app/', plain],
  ])('not where %s', (_, steps, places) => {
    expect(isLinked(steps, places)).toBe(false)
  })

  test('with a slash where the base image has the folder', () => {
    const dockerfile = parseDockerfile('FROM python\nCOPY main.py /usr/src/app\n', 'Dockerfile')
    const places: Places = new Map([...plain, ['/usr/src/app', 'plain']])
    const { edits } = linkCopies(dockerfile, [{ stage: 0, steps: [] }], viewOf(places))
    expect(edits.map(({ text }) => text)).toEqual([' --link', '/'])
  })
})

test('an environment in /usr/src/app becomes layers where the base image has nothing there', () => {
  const text = 'FROM python\nWORKDIR /usr/src/app\nCOPY uv.lock pyproject.toml ./\nRUN uv sync\n'
  const answer = (places: Places | undefined): boolean =>
    findInstalls(parseDockerfile(text, 'Dockerfile'), viewOf(places)).every(isInstallStep)
  expect(answer(plain)).toBe(true)
  expect(answer(undefined)).toBe(false)
  expect(answer(new Map([...plain, ['/usr/src/app', 'other']]))).toBe(false)
})

describe('the files of a base image are read', () => {
  const python = { name: 'python', env }
  const untold = { name: 'base', env: { PATH: '/usr/local/sbin:/usr/local/bin:/bin' } }
  test.each<[string, string, BaseImage & { readonly name: string }, boolean]>([
    ['where it doesn’t tell its Python', 'FROM base\nRUN pip install a', untold, true],
    ['not where nothing is installed', 'FROM base\nRUN make', untold, false],
    [
      'not where another stage installs',
      'FROM base AS x\nFROM python\nRUN pip install a\nCOPY --from=x /y /y',
      untold,
      false,
    ],
    ['not where no Python of its own could be', 'FROM base\nRUN pip install a', { name: 'base', env: {} }, false],
    ['not where it tells it', 'FROM python\nRUN pip install a', python, false],
    ['where an app goes to /usr/src', 'FROM python\nWORKDIR /usr/src/app\nRUN pip install a', python, true],
    ['not where nothing of it is built', 'FROM base AS x\nRUN pip install a\nFROM python', untold, false],
  ])('%s', (_, text, base, expected) => {
    expect(needsFiles(parseDockerfile(`${text}\n`, 'Dockerfile'), {}, base)).toBe(expected)
  })
})
