import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { linkCopies } from '../../src/dockerfile/link-copies.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { applyEdits } from '../../src/dockerfile/text-edit.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const contextFiles = ['requirements.txt', 'main.py', 'app/main.py', 'app/conf/a.ini', 'static']

function link(
  steps: string,
  base: Partial<BaseImage> = {},
  context: Partial<BuildView> = {},
): { text: string; reasons: readonly string[] } {
  const view: BuildView = { baseImage: () => ({ ...python, ...base }), contextFiles, ...context }
  const source = `FROM python\n${steps}\nRUN pip install idna\n`
  const dockerfile = parseDockerfile(source, 'Dockerfile')
  const found = findInstalls(dockerfile, view).filter(isInstallStep)
  const { links, edits } = linkCopies(dockerfile, [{ stage: 0, steps: found }], view)
  const text = applyEdits(source, edits)
  return {
    text: text.slice('FROM python\n'.length, -'\nRUN pip install idna\n'.length),
    reasons: links.filter(({ linked }) => !linked).map(({ reason }) => reason),
  }
}

describe('a COPY is linked when the image comes out the same', () => {
  const cases: readonly (readonly [steps: string, expected: string])[] = [
    ['COPY app /srv/app/', 'COPY --link app /srv/app/'],
    ['WORKDIR /app\nCOPY . .', 'WORKDIR /app\nCOPY --link . .'],
    ['WORKDIR /app\nCOPY . ./', 'WORKDIR /app\nCOPY --link . ./'],
    ['WORKDIR /app\nCOPY . /app', 'WORKDIR /app\nCOPY --link . /app/'],
    ['WORKDIR /app\nCOPY main.py /app  ', 'WORKDIR /app\nCOPY --link main.py /app/  '],
    ['WORKDIR /app/src\nCOPY main.py /app', 'WORKDIR /app/src\nCOPY --link main.py /app/'],
    ['WORKDIR /app\nCOPY main.py start.py', 'WORKDIR /app\nCOPY --link main.py start.py'],
    ['WORKDIR /app\nCOPY app code', 'WORKDIR /app\nCOPY --link app code'],
    ['COPY app /code', 'COPY --link app /code'],
    ['COPY --chown=0:0 app /code/', 'COPY --link --chown=0:0 app /code/'],
    ['COPY --chown=1000:1000 app /code/', 'COPY --link --chown=1000:1000 app /code/'],
    ['COPY --from=x /dist /site/', 'COPY --link --from=x /dist /site/'],
    ['COPY ["app", "/with space/"]', 'COPY --link ["app", "/with space/"]'],
    ['WORKDIR /app\nCOPY <<run.sh ./\nx\nrun.sh', 'WORKDIR /app\nCOPY --link <<run.sh ./\nx\nrun.sh'],
    ['ENV D=/data\nWORKDIR $D\nCOPY . $D', 'ENV D=/data\nWORKDIR $D\nCOPY --link . $D/'],
    ['WORKDIR /app\n  copy \\\n  main.py \\\n  ./', 'WORKDIR /app\n  copy --link \\\n  main.py \\\n  ./'],
    ['WORKDIR /app\nCOPY main.py /app\nCOPY . .', 'WORKDIR /app\nCOPY --link main.py /app/\nCOPY --link . .'],
    ['COPY --link app /code/', 'COPY --link app /code/'],
  ]
  test.each(cases)('%s', (steps, expected) => {
    expect(link(steps)).toEqual({ text: expected, reasons: [] })
  })

  test('relative to the base image’s working directory', () => {
    expect(link('COPY . .', { workingDir: '/app' })).toEqual({ text: 'COPY --link . .', reasons: [] })
  })

  test('below rewritten installs, which are gone', () => {
    expect(link('WORKDIR /app\nRUN pip install a\nCOPY . .').text).toBe(
      'WORKDIR /app\nRUN pip install a\nCOPY --link . .',
    )
  })
})

describe('folders that an earlier COPY has made keep their owner and mode', () => {
  const kept = (path: string): readonly string[] => [`${path} was copied with a mode or an owner of its own`]
  test.each([
    ['COPY --chown=7 app /code/\nCOPY main.py /code/', kept('/code')],
    ['COPY --chown=7 main.py /code/a/\nCOPY main.py /code/', kept('/code')],
    ['WORKDIR /code\nCOPY --chown=7 . ./x/\nCOPY main.py x/app/', ['it would give /code to 7', ...kept('/code/x')]],
    ['COPY --chown=7 app /opt/a/\nCOPY main.py /opt/b/', ['it would give /opt to 7']],
    ['COPY --chown=0 app /code/\nCOPY main.py /code/', []],
  ])('%s', (steps, expected) => {
    expect(link(steps).reasons).toEqual(expected)
  })

  test('and so do folders of the context with a mode of their own', () => {
    const steps = 'COPY . /code/\nCOPY main.py /code/app/'
    expect(link(steps, {}, { oddFolders: ['static'] }).reasons).toEqual([])
    expect(link(steps, {}, { oddFolders: ['app'] }).reasons).toEqual(kept('/code/app'))
    expect(link('COPY app /code/\nCOPY main.py /code/', {}, { oddFolders: ['app'] }).reasons).toEqual([])
  })
})

describe('a COPY stays when the image might differ', () => {
  const cases: readonly (readonly [steps: string, reason: string])[] = [
    ['COPY . .', '/ lies among folders'],
    ['COPY app /usr/local/lib/app/', 'folders that the base image brings along'],
    ['COPY app /etc/app/', 'folders that the base image brings along'],
    ['COPY app /home/me/', 'folders that the base image brings along'],
    ['COPY app /tmp/', 'folders that the base image brings along'],
    ['COPY app /var/run/app/', 'folders that the base image brings along'],
    ['COPY app /opt/', '/opt is a folder'],
    ['WORKDIR /app\nRUN make\nCOPY . .', 'the RUN in line 3'],
    ['WORKDIR /app\nUSER app\nUSER 0\nCOPY . .', 'USER in line 3'],
    ['COPY --chown=app:app app /code/', '--chown=app:app is looked up'],
    ['WORKDIR /app\nCOPY --chown=1000 . .', 'it would give /app to 1000'],
    ['COPY --chown=1000 app /opt/app/', 'it would give /opt to 1000'],
    ['COPY --chmod=755 app /code/', '--chmod'],
    ['COPY --parents app /code/', '--parents'],
    ['COPY --from=x /dist /site', '/site may be a file or a folder'],
    ['COPY main.py /code', '/code may be a file or a folder'],
    ['COPY --from=x /venv /venv/\nCOPY app /venv/app/', '/venv was filled from elsewhere'],
    ['COPY --from=x /app/conf /code/conf/\nCOPY app /code/', '/code/conf was filled from elsewhere'],
    ['WORKDIR /w\nCOPY . .\nCOPY app static/', '/w/static was copied as a file or a link'],
    ['WORKDIR /w\nCOPY . .\nCOPY main.py app', '/w/app may be a file or a folder'],
    ['WORKDIR /app\nCOPY ["main.py", "/app"]', '/app is a folder and is written without a slash'],
    ['# image-cache: off\nCOPY app /code/', 'image-cache: off'],
  ]
  test.each(cases)('%s', (steps, reason) => {
    const { reasons } = link(steps)
    expect(reasons.join('\n')).toContain(reason)
    expect(reasons).toHaveLength(1)
  })

  test('because of the base image’s triggers', () => {
    const view: BuildView = { baseImage: () => ({ ...python, onBuild: ['RUN x'] }), contextFiles }
    const dockerfile = parseDockerfile('FROM python\nCOPY app /code/\n', 'Dockerfile')
    expect(linkCopies(dockerfile, [{ stage: 0, steps: [] }], view)).toMatchObject({
      links: [{ line: 2, linked: false, reason: 'the base image has ONBUILD triggers' }],
      edits: [],
    })
  })

  test('because of the base image’s user', () => {
    expect(link('COPY app /code/', { user: 'app' }).reasons).toEqual(['the base image’s user is app'.replace('’', "'")])
  })
})

test('only plain COPYs of stages with layers are looked at', () => {
  const view: BuildView = { baseImage: () => python, contextFiles }
  const dockerfile = parseDockerfile('FROM a\nCOPY app /x/\nFROM b\nADD app /x/\nCOPY app /y/\n', 'Dockerfile')
  expect(linkCopies(dockerfile, [{ stage: 1, steps: [] }], view).links).toEqual([
    { line: 5, linked: true, reason: 'nothing of the layers below is needed for it' },
  ])
})

test('so are those of stages below and above, since a plain one would need the layers', () => {
  const view: BuildView = { baseImage: () => python, contextFiles }
  const text = [
    ...['FROM a AS low', 'COPY app /one/', 'FROM low AS mid', 'RUN pip install idna', 'FROM mid AS high'],
    ...['COPY app /two/', 'FROM low AS beside', 'COPY app /three/', 'FROM high', 'COPY app /four/', ''],
  ].join('\n')
  const dockerfile = parseDockerfile(text, 'Dockerfile')
  const steps = findInstalls(dockerfile, view).filter(isInstallStep)
  const { links } = linkCopies(dockerfile, [{ stage: 1, steps }], view)
  expect(links.map(({ line, linked }) => [line, linked])).toEqual([
    [2, true],
    [6, true],
    [10, true],
  ])
})
