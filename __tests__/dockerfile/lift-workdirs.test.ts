import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { type RenderedDockerfile, renderLinked } from '../../src/dockerfile/render-dockerfile.ts'

const contextFiles = ['main.py', 'app/main.py', 'app/conf/a.ini']

function lift(text: string, base: Partial<BaseImage> = {}, view: Partial<BuildView> = {}): RenderedDockerfile {
  const { user = '', workingDir = '' } = base
  const env = { PATH: '/usr/local/bin:/bin' }
  const baseConfig = {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: [`PATH=${env.PATH}`], User: user, WorkingDir: workingDir },
    rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
    history: [{ created_by: 'base' }],
  }
  const options = { baseImage: () => ({ env, user, workingDir }), contextFiles, ...view }
  return renderLinked(parseDockerfile(text, 'Dockerfile'), [], { ...options, lift: { baseConfig, labels: new Map() } })
}

/** Entries of our own, with a plus for those that stand for a layer. */
function history({ config = '{}' }: RenderedDockerfile): readonly string[] {
  const { history }: { history: { created_by: string; empty_layer?: boolean }[] } = JSON.parse(config)
  return history.slice(1).map((entry) => `${entry.empty_layer ? '' : '+ '}${entry.created_by}`)
}

const intro = '# image-cache: one stage for each layer of dependencies\n'
const comment = '# image-cache: a folder in a layer of its own: WORKDIR'

describe('WORKDIR is lifted', () => {
  test('where it stood, and destinations become absolute', () => {
    const rendered = lift(`# the service
FROM python
WORKDIR /app
COPY main.py .
COPY app/ ./app/
COPY ["app/main.py", "with.py"]
COPY --link --from=0 /x y
CMD ["x"]
`)
    expect(rendered.text).toBe(`# the service
${intro}FROM scratch AS image-cache-dirs-0
WORKDIR /app

FROM python
${comment} /app
COPY --link --from=image-cache-dirs-0 / /
COPY --link main.py /app/
COPY --link app/ /app/app/
COPY --link ["app/main.py", "/app/with.py"]
COPY --link --from=1 /x /app/y
CMD ["x"]
`)
    expect(history(rendered)).toEqual([
      '+ WORKDIR /app',
      '+ COPY main.py . # buildkit',
      '+ COPY app/ ./app/ # buildkit',
      '+ COPY app/main.py with.py # buildkit',
      '+ COPY /x y # buildkit',
      'CMD ["x"]',
    ])
    expect(JSON.parse(rendered.config ?? '').config.WorkingDir).toBe('/app')
    expect(rendered.links[0]).toEqual({
      line: 3,
      linked: true,
      reason: 'the folder is a layer of its own, so the base image is not needed',
    })
  })

  test('below everything else of its stage, where files come first', () => {
    const rendered = lift('FROM python\nENV D=x\nCOPY app /srv/app/\nWORKDIR /srv/app\nWORKDIR /code/$D\nCOPY app .\n')
    expect(rendered.text).toBe(`${intro}FROM scratch AS image-cache-dirs-0
WORKDIR /srv/app
WORKDIR /code/x

FROM python
ENV D=x
COPY --link --from=image-cache-dirs-0 / /
COPY --link app /srv/app/
${comment} /srv/app
${comment} /code/x
COPY --link app /code/x/
`)
    expect(history(rendered)).toEqual([
      'ENV D=x',
      '+ WORKDIR /srv/app /code/x # image-cache: folders',
      '+ COPY app /srv/app/ # buildkit',
      'WORKDIR /srv/app',
      'WORKDIR /code/x',
      '+ COPY app . # buildkit',
    ])
  })

  test('in the stages below as well, each with a layer of its own', () => {
    const rendered = lift('FROM python AS a\nWORKDIR /app\nFROM a\nWORKDIR src\nWORKDIR /\nCOPY app code/\n')
    expect(rendered.text).toContain(
      'AS image-cache-dirs-0\nWORKDIR /app\n\nFROM scratch AS image-cache-dirs-1\nWORKDIR /app/src\n',
    )
    expect(rendered.text).toMatch(
      /\/app\/src\nCOPY --link --from=image-cache-dirs-1 \/ \/\nWORKDIR \/\nCOPY --link app \/code\/\n$/,
    )
    expect(history(rendered)).toEqual([
      '+ WORKDIR /app',
      '+ WORKDIR /app/src',
      'WORKDIR /',
      '+ COPY app code/ # buildkit',
    ])
  })

  test('with the line endings of the file', () => {
    const { text } = lift('FROM python\r\nWORKDIR /app\r\nCOPY app .\r\n')
    expect(text).toMatch(/WORKDIR \/app\r\nCOPY --link --from=image-cache-dirs-0 \/ \/\r\nCOPY --link app \/app\/\r\n$/)
  })

  test('when other stages need the base, but not the target', () => {
    const { config } = lift('FROM python AS b\nRUN make\nFROM python\nWORKDIR /app\nCOPY --from=b /x/ /app/x/\n')
    expect(config).toBeDefined()
  })
})

describe('WORKDIR stays', () => {
  const cases: readonly (readonly [steps: string, reason: string, base?: Partial<BaseImage>])[] = [
    ['WORKDIR /app\nRUN make', 'needed for the RUN in line 3'],
    ['WORKDIR /app\nADD x.tar .', 'needed for the ADD in line 3'],
    ['WORKDIR /app\nCOPY --chmod=755 app .', 'needed for the COPY in line 3'],
    ['WORKDIR /app\nCOPY --link --chmod=755 app .', 'needed for the COPY in line 3'],
    ['WORKDIR /app\nCOPY app /usr/share/app/', 'needed for the COPY in line 3'],
    ['WORKDIR /app\nCOPY --link app "with-quotes"\nCOPY --link app ../a\u00fc', 'line 4 is written in an unusual way'],
    ['WORKDIR /usr/src/app', 'folders that the base image brings along'],
    ['WORKDIR /home/app', 'folders that the base image brings along'],
    ['WORKDIR /var/www', 'folders that the base image brings along'],
    ['WORKDIR /tmp/x', 'folders that the base image brings along'],
    ['WORKDIR /root', 'folders that the base image brings along'],
    ['WORKDIR /opt', '/opt is a folder'],
    ['WORKDIR "/a b"', 'unusual'],
    ['WORKDIR /app/../x', 'unusual'],
    ['USER app\nWORKDIR /app', 'belongs to the user app'],
    ['WORKDIR /app', 'belongs to the user 1000', { user: '1000' }],
    ['WORKDIR /app/src', 'a folder /app of its own', { workingDir: '/app' }],
    ['WORKDIR sub', 'a folder /app of its own', { workingDir: '/app' }],
    ['WORKDIR /app', 'a folder /app/src of its own', { workingDir: '/app/src' }],
    ['COPY --link . /app/\nWORKDIR /app/main.py', '/app/main.py was copied as a file or a link'],
    ['COPY --link --from=x /x/ /app/\nWORKDIR /app/src', '/app was filled from elsewhere'],
    ['# image-cache: off\nWORKDIR /app', 'image-cache: off'],
    ['WORKDIR /app\nMAINTAINER me', 'can’t be told beforehand: MAINTAINER'],
    [`WORKDIR /app\nLABEL long=${'x'.repeat(70_000)}`, 'too long'],
  ]
  test.each(cases)('in %s', (steps, reason, base = {}) => {
    const text = `FROM python\n${steps}\n`
    const rendered = lift(text, base)
    const rows = rendered.links.filter(({ line }) => /WORKDIR/.test(text.split('\n')[line - 1] ?? ''))
    expect(rows).toEqual([
      { line: expect.any(Number), linked: false, reason: expect.stringContaining(reason.replace('’', "'")) },
    ])
    expect(rendered.config).toBeUndefined()
    expect(rendered.text.replaceAll('COPY --link', 'COPY')).toBe(text.replaceAll('COPY --link', 'COPY'))
  })

  test('when another stage stands on the same one', () => {
    const text = 'FROM python AS base\nWORKDIR /app\nFROM base AS b\nRUN make\nFROM base\nCOPY --link --from=b /x /y\n'
    expect(lift(text).links).toContainEqual({
      line: 2,
      linked: false,
      reason: 'the stage in line 3 stands on the same stage and needs its working directory',
    })
  })

  test('with a frontend that is too old', () => {
    expect(lift('# syntax=docker/dockerfile:1.3\nFROM python\nWORKDIR /app\n').config).toBeUndefined()
  })
})

test('there is nothing to lift without a folder', () => {
  expect(lift('FROM python\nWORKDIR /\nCOPY app /app/\n')).toMatchObject({
    text: 'FROM python\nWORKDIR /\nCOPY --link app /app/\n',
    links: [{ line: 3, linked: true, reason: 'nothing of the layers below is needed for it' }],
    config: undefined,
  })
})
