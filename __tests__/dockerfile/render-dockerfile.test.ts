import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { StageLayers } from '../../src/dockerfile/dependency-stage.ts'
import type { BaseImage, BuildView, Dockerfile } from '../../src/dockerfile/dockerfile.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { renderLinked } from '../../src/dockerfile/render-dockerfile.ts'
import { scanInstructions } from '../../src/dockerfile/scan-instructions.ts'
import type { LayerGroup } from '../../src/layers/layer-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { plannedLayers } from '../support/planned-layers.ts'

const base: BaseImage = { env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const view: BuildView = { baseImage: () => base, contextFiles: ['requirements.txt', 'app/main.py'] }

function locked(name: string, version: string, ...hashes: readonly string[]): ResolvedPackage {
  const wheel = { fileName: `${name}-${version}-py3-none-any.whl`, size: 1, uploadedAt: 0 }
  return { name, version, wheel, hashes: hashes.map((hash) => `sha256:${hash}`), dependencies: [] }
}

function group(...packages: readonly ResolvedPackage[]): LayerGroup {
  return { packages, size: 1, changeRate: 0.1, reason: 'for the test' }
}

function render(text: string, groups: readonly LayerGroup[], more: Partial<StageLayers> = {}): string {
  return renderLinked(parseDockerfile(text, 'Dockerfile'), plannedLayers(text, view, groups, more), view).text
}

/** Bodies of the RUNs in dependency stages, by stage name. */
function scripts(rendered: string): ReadonlyMap<string, string> {
  const { stages } = parseDockerfile(rendered, 'Dockerfile')
  const own = stages.filter(({ name }) => name?.startsWith('image-cache-deps-'))
  const scriptOf = (instructions: Dockerfile['stages'][number]['instructions']): string =>
    instructions.find(({ keyword }) => keyword === 'RUN')?.heredocs[0]?.content ?? ''
  return new Map(own.map(({ name, instructions }) => [name ?? '', scriptOf(instructions)]))
}

const heavy = group(locked('torch', '2.5.0', 'bb', 'aa'), locked('sympy', '1.13', 'cc'))
const light = group(locked('idna', '3.7', 'dd'))

describe('the linked form', () => {
  const OWNED = 'FROM python\nRUN useradd -m app\nUSER app\nRUN pip install a && mkdir /home/app/c\nRUN pip install b\n'
  const owned = { prefix: '/home/app/.local', owner: 'app' }

  test('gives packages to their user, and the folders above to whom they were', () => {
    const rendered = render(OWNED, [heavy, light], owned)
    expect(rendered.slice(0, rendered.indexOf('FROM --platform'))).toBe(`FROM python AS image-cache-before-0
RUN useradd -m app
USER app
RUN mkdir /home/app/c
# image-cache: one stage for each layer of dependencies
`)
    expect(rendered.slice(rendered.indexOf('FROM image-cache-before-0'))).toBe(`FROM image-cache-before-0
# image-cache: layers of: pip install a && mkdir /home/app/c
COPY --link --from=image-cache-deps-0-1 /layer/ /
COPY --link --from=image-cache-deps-0-2 /layer/ /
COPY --link --from=image-cache-folders-0 /layer/ /
# image-cache: in the layers above: pip install b
`)
    const passwd = '--mount=type=bind,from=image-cache-before-0,source=/etc/passwd,target=/image-cache-before-passwd'
    expect(rendered.split(`RUN ${passwd} <<'IMAGE_CACHE'`)).toHaveLength(3)
    expect(rendered.split('chown -hR "$owner" /layer/home/app/.local\n')).toHaveLength(3)
    expect(rendered).toContain('like /home\nlike /home/app\nlike /home/app/.local\n')
  })

  test('asks no list of users for numbers, and that of groups for the name of one', () => {
    const mounts = (owner: string): readonly string[] =>
      [...render(OWNED, [light], { ...owned, owner }).matchAll(/source=\/etc\/(\w+)/g)].map(([, file = '']) => file)
    expect(mounts('1000:1000')).toEqual([])
    expect(mounts('1000:users')).toEqual(['group', 'group'])
    expect(mounts('app:50')).toEqual(['passwd', 'passwd'])
    expect(mounts('app:users')).toEqual(['passwd', 'group', 'passwd', 'group'])
  })

  test('counts stages that stand in the middle of another one', () => {
    const text = `${OWNED}FROM python\nCOPY --from=0 /home/app /home/app\nFROM python\nCOPY --from=1 /home/app /x\n`
    const rendered = render(text, [heavy, light], owned)
    const { stages } = parseDockerfile(rendered, 'Dockerfile')
    const numbers = [...rendered.matchAll(/--from=(\d+)/g)].map(([, number]) => Number(number))
    expect(numbers.map((number) => stages[number]?.from.rest)).toEqual(['image-cache-before-0', 'python'])
  })

  test('copies packages of a user in its name where the layers lie upon each other', () => {
    const dockerfile = parseDockerfile(OWNED, 'Dockerfile')
    const { text } = renderLinked(dockerfile, plannedLayers(OWNED, view, [light], owned), { ...view, chain: true })
    expect(text).toContain('COPY --chown=app --from=image-cache-deps-0-1 /layer/home/app/.local/ /home/app/.local/\n')
    expect(text).not.toContain('image-cache-before')
  })

  test('stands as a whole before a step of a user that stays', () => {
    const rendered = render(OWNED, [light], { ...owned, way: 'seed' })
    expect(rendered.slice(rendered.indexOf('FROM image-cache-before-0'))).toBe(`FROM image-cache-before-0
# image-cache: layers for the next step
COPY --link --from=image-cache-deps-0-1 /layer/ /
COPY --link --from=image-cache-folders-0 /layer/ /
RUN pip install a && mkdir /home/app/c
RUN pip install b
`)
    expect(rendered.split('mkdir /home/app/c')).toHaveLength(2)
  })

  test('has a stage for each group, and the groups where the first install stood', () => {
    const text = `# syntax=docker/dockerfile:1
ARG PYTHON=3.12
# the service
FROM python:\${PYTHON}-slim
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir \\
    -r requirements.txt
ENV A=1
RUN pip install idna
COPY . .
CMD ["python", "-m", "app"]
`
    expect(render(text, [heavy, light])).toBe(`# syntax=docker/dockerfile:1
ARG PYTHON=3.12
# the service
# image-cache: one stage for each layer of dependencies
FROM --platform=$BUILDPLATFORM tools.example/python-uv@sha256:abc AS image-cache-deps-0-1
RUN <<'IMAGE_CACHE'
#!/bin/sh
set -eu
umask 022
export UV_NO_CONFIG=1 UV_NO_INSTALLER_METADATA=1 UV_COMPILE_BYTECODE=0 PYTHONHASHSEED=0
set --
set -- --python-platform x86_64-manylinux_2_36
uv pip install --quiet --no-deps --require-hashes --no-cache --only-binary :all: --python /usr/local/bin/python3.12 --prefix /layer/usr/local "$@" -r - <<'PACKAGES'
sympy==1.13 \\
    --hash=sha256:cc
torch==2.5.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
PACKAGES
rm -f /layer/usr/local/.lock
/usr/local/bin/python3.12 -m compileall -qq -j1 -s /layer -p / --invalidation-mode unchecked-hash /layer/usr/local || true
find /layer/usr/local -path '*.dist-info/RECORD' -exec chmod 644 {} +
find /layer/usr/local -mindepth 1 -type d -empty -delete
find /layer -type d -exec chmod 755 {} +
find /layer -exec touch -h -d @315532800 {} +
IMAGE_CACHE

FROM --platform=$BUILDPLATFORM tools.example/python-uv@sha256:abc AS image-cache-deps-0-2
RUN <<'IMAGE_CACHE'
#!/bin/sh
set -eu
umask 022
export UV_NO_CONFIG=1 UV_NO_INSTALLER_METADATA=1 UV_COMPILE_BYTECODE=0 PYTHONHASHSEED=0
set --
set -- --python-platform x86_64-manylinux_2_36
uv pip install --quiet --no-deps --require-hashes --no-cache --only-binary :all: --python /usr/local/bin/python3.12 --prefix /layer/usr/local "$@" -r - <<'PACKAGES'
idna==3.7 \\
    --hash=sha256:dd
PACKAGES
rm -f /layer/usr/local/.lock
/usr/local/bin/python3.12 -m compileall -qq -j1 -s /layer -p / --invalidation-mode unchecked-hash /layer/usr/local || true
find /layer/usr/local -path '*.dist-info/RECORD' -exec chmod 644 {} +
find /layer/usr/local -mindepth 1 -type d -empty -delete
find /layer -type d -exec chmod 755 {} +
find /layer -exec touch -h -d @315532800 {} +
IMAGE_CACHE

FROM python:\${PYTHON}-slim
WORKDIR /app
COPY --link requirements.txt ./
# image-cache: layers of: pip install --no-cache-dir -r requirements.txt
COPY --link --from=image-cache-deps-0-1 /layer/ /
COPY --link --from=image-cache-deps-0-2 /layer/ /
ENV A=1
# image-cache: in the layers above: pip install idna
COPY --link . .
CMD ["python", "-m", "app"]
`)
  })

  test('has the layers behind steps that don’t need them, where these may be built first', () => {
    const text = `FROM python
COPY requirements.txt /
RUN mkdir /data && pip install -r /requirements.txt
RUN useradd app
COPY app /app/
RUN mkdir /state
RUN python -m compileall /app
RUN mkdir /late
`
    const dockerfile = parseDockerfile(text, 'Dockerfile')
    const rendered = renderLinked(dockerfile, plannedLayers(text, view, [heavy]), { ...view, reorder: true })
    expect(rendered.passed).toEqual(new Map([4, 6].map((line) => [line, 3])))
    expect(rendered.text.slice(rendered.text.indexOf('FROM python'))).toBe(`FROM python
COPY requirements.txt /
# image-cache: behind line 6: layers of: mkdir /data && pip install -r /requirements.txt
RUN mkdir /data
RUN useradd app
COPY --link app /app/
RUN mkdir /state
# image-cache: layers of: mkdir /data && pip install -r /requirements.txt
COPY --link --from=image-cache-deps-0-1 /layer/ /
RUN python -m compileall /app
RUN mkdir /late
`)
  })

  test('leaves nothing that needs the base image where its WORKDIR is lifted, and tells of each layer in the history', () => {
    const text = 'FROM python\nWORKDIR /app\nCOPY app .\nRUN pip install\\\n idna\nRUN pip install torch\n'
    const baseConfig = {
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/usr/local/bin:/bin', 'PYTHON_VERSION=3.12.4'] },
      rootfs: { diff_ids: ['sha256:1'] },
      history: [{ created_by: 'base' }],
    }
    const lift = { baseConfig, labels: new Map([['a', 'b']]) }
    const layers = plannedLayers(text, view, [heavy, light])
    const rendered = renderLinked(parseDockerfile(text, 'Dockerfile'), layers, { ...view, lift })
    expect(rendered.text.slice(rendered.text.indexOf('FROM scratch'))).toBe(`FROM scratch AS image-cache-dirs-0
WORKDIR /app

FROM python
# image-cache: a folder in a layer of its own: WORKDIR /app
COPY --link --from=image-cache-dirs-0 / /
COPY --link app /app/
# image-cache: layers of: pip install idna
COPY --link --from=image-cache-deps-0-1 /layer/ /
COPY --link --from=image-cache-deps-0-2 /layer/ /
# image-cache: in the layers above: pip install torch
`)
    const comment = 'buildkit.dockerfile.v0'
    expect(JSON.parse(rendered.config ?? '{}')).toEqual({
      architecture: 'amd64',
      os: 'linux',
      config: { ...baseConfig.config, WorkingDir: '/app', Labels: { a: 'b' } },
      history: [
        { created_by: 'base' },
        { created_by: 'WORKDIR /app', comment },
        { created_by: 'COPY app . # buildkit', comment },
        { created_by: 'RUN pip install idna # image-cache: layer 1 of 2', comment },
        { created_by: 'RUN pip install idna # image-cache: layer 2 of 2', comment },
        { created_by: 'RUN pip install torch # image-cache: in the layers above', comment, empty_layer: true },
      ],
    })
  })

  test('keeps the text as it was when there is nothing to put into layers', () => {
    const text = 'FROM python\nRUN pip install a\n'
    expect(render(text, [])).toBe(text)
  })

  test('passes the settings of the index on, each as a word of its own', () => {
    const settings = {
      indexUrl: "https://index.example/it's?a&b",
      extraIndexUrls: ['https://more.example/simple'],
      findLinks: ['https://files.example/'],
      preReleases: true,
    }
    const [script = ''] = scripts(render('FROM python\nRUN pip install idna\n', [light], { settings })).values()
    expect(script).toContain(
      `--index-url 'https://index.example/it'\\''s?a&b' --extra-index-url https://more.example/simple --index-strategy unsafe-best-match --find-links https://files.example/ --prerelease allow "$@" -r -`,
    )
  })

  test('compiles nothing when the user’s commands would not', () => {
    const [script = ''] = scripts(render('FROM python\nRUN pip install idna\n', [light], { bytecode: false })).values()
    expect(script).not.toContain('compileall')
  })

  test('lets console scripts name the final image’s Python when the installer has another', () => {
    const more = { installerInterpreter: '/usr/bin/python3.12' }
    const [script = ''] = scripts(render('FROM python\nRUN pip install idna\n', [light], more)).values()
    expect(script).toContain('--python /usr/bin/python3.12 ')
    expect(script).toContain("'1s|^#!/usr/bin/python3.12$|#!/usr/local/bin/python3.12|'")
  })

  test('is built on the target platform where uv can’t install for another one', () => {
    const rendered = render('FROM python\nRUN pip install idna\n', [light], { platform: 'linux/riscv64' })
    expect(rendered).toContain('\nFROM tools.example/python-uv@sha256:abc AS image-cache-deps-0-1\n')
    expect(rendered).not.toContain('--python-platform')
  })

  test('passes on what the machine needs to reach the index', () => {
    const text = 'FROM python\nRUN pip install idna\n'
    const rendered = renderLinked(parseDockerfile(text, 'Dockerfile'), plannedLayers(text, view, [light]), {
      ...view,
      runFlags: ['--mount=type=secret,id=ca,target=/ca.pem'],
      environment: { SSL_CERT_FILE: '/ca.pem' },
    }).text
    expect(rendered).toContain("RUN --mount=type=secret,id=ca,target=/ca.pem <<'IMAGE_CACHE'\n")
    expect(rendered).toContain('\nexport SSL_CERT_FILE=/ca.pem\n')
  })

  test('refuses a package without a hash', () => {
    const text = 'FROM python\nRUN pip install idna\n'
    expect(() => render(text, [group(locked('idna', '3.7'))])).toThrow('idna 3.7 has no hash')
  })

  test('counts the new stages in COPY --from numbers', () => {
    const text =
      'FROM golang AS go\nFROM python\nRUN pip install idna\nCOPY --from=0 /a /srv/a/\nCOPY --from=go /b /srv/b/\n'
    const rendered = render(text, [heavy, light])
    expect(rendered).toContain('COPY --link --from=2 /a /srv/a/\n')
    expect(rendered).toContain('COPY --link --from=go /b /srv/b/\n')
  })

  test('keeps carriage returns, and writes scripts without them', () => {
    const rendered = render('FROM python\r\nRUN pip install idna\r\nCMD x\r\n', [light])
    expect(rendered.endsWith('COPY --link --from=image-cache-deps-0-1 /layer/ /\r\nCMD x\r\n')).toBe(true)
    expect([...scripts(rendered).values()].join('')).not.toContain('\r')
  })

  test('does not add a line ending at the end of the file', () => {
    expect(render('FROM python\nRUN pip install idna', [light])).toMatch(/COPY --link --from=\S+ \/layer\/ \/$/)
  })

  test('two sets of layers in one stage have names of their own', () => {
    const text = 'FROM python\nRUN pip install idna\nRUN pip install torch\n'
    const [all] = plannedLayers(text, view, [light])
    const entries = (all?.steps ?? []).flatMap((step) => (all === undefined ? [] : [{ ...all, steps: [step] }]))
    const rendered = renderLinked(parseDockerfile(text, 'Dockerfile'), entries, view).text
    expect([...scripts(rendered).keys()]).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2'])
  })
})

describe('what decides a cache key', () => {
  const text = 'FROM python\nRUN pip install idna torch\n'

  test('a change in one group leaves the scripts of the others alone', () => {
    const before = scripts(render(text, [heavy, light]))
    const after = scripts(render(text, [heavy, group(locked('idna', '3.8', 'ee'))]))
    expect(after.get('image-cache-deps-0-1')).toBe(before.get('image-cache-deps-0-1'))
    expect(after.get('image-cache-deps-0-2')).not.toBe(before.get('image-cache-deps-0-2'))
  })

  test('a group has the same script in every slot, stage and file', () => {
    const one = scripts(render(text, [heavy, light])).get('image-cache-deps-0-2')
    const other = scripts(render(`FROM golang AS x\nFROM x\n${text}`, [light])).get('image-cache-deps-2-1')
    expect(other).toBe(one)
  })

  test('the order of packages and hashes makes no difference', () => {
    const turned = group(locked('sympy', '1.13', 'cc'), locked('torch', '2.5.0', 'aa', 'bb', 'aa'))
    expect(render(text, [turned])).toBe(render(text, [heavy]))
  })

  test('the platform does', () => {
    expect(render(text, [light], { platform: 'linux/arm64' })).not.toBe(render(text, [light]))
  })

  const node =
    'FROM node AS made\nRUN npm ci\nFROM node\nCOPY --from=made /app/dist/ /app/\nCOPY src/ /data/\nCMD ["x"]\n'
  test.each([
    ['all', node.replace('COPY --from', 'COPY --link --from').replace('COPY src', 'COPY --link src')],
    ['auto', node],
    ['off', node],
  ] as const)('without layers, COPY steps are linked by link-copies: %s', (linkCopies, expected) => {
    const { text, links } = renderLinked(parseDockerfile(node, 'Dockerfile'), [], { ...view, linkCopies })
    expect(text).toBe(expected)
    expect(links.map(({ linked }) => linked)).toEqual(linkCopies === 'all' ? [true, true] : [])
  })

  test('with layers, no COPY step is linked by link-copies: off', () => {
    const off = { ...view, linkCopies: 'off' } as const
    const own = `${text}COPY other/ /other/\n`
    const rendered = renderLinked(parseDockerfile(own, 'Dockerfile'), plannedLayers(own, view, [light]), off)
    expect(rendered.text).toContain('\nCOPY other/ /other/\n')
    expect(rendered.text).toContain('COPY --link --from=image-cache-deps-0-1 /layer/ /\n')
  })

  test('of several platforms each takes its own wheels and packages in the same stage', () => {
    const own = locked('nvidia-cublas', '12', 'ee')
    const cuda: ResolvedPackage = { ...own, onPlatforms: new Map([['linux/amd64', own]]) }
    const rendered = render(text, [group(cuda, locked('six', '1.17', 'ff'))], { morePlatforms: ['linux/arm64'] })
    expect(rendered).toContain(' AS image-cache-deps-0-1\nARG TARGETARCH\nRUN ')
    const [script = ''] = scripts(rendered).values()
    expect(script).toContain('  arm64) machine=aarch64 ;;\n')
    expect(script).toContain('set -- --python-platform "$machine"-manylinux_2_36\nmkdir -p /layer/usr/local\n')
    expect(script).toContain(
      "nvidia-cublas==12 ; platform_machine == 'x86_64' \\\n    --hash=sha256:ee\nsix==1.17 \\\n",
    )
  })
})

describe('any file', () => {
  const line = fc.constantFrom(
    ...[
      'RUN x \\',
      '  y',
      '# comment',
      '',
      'RUN <<EOF',
      'EOF',
      'COPY a b',
      'COPY --from=0 a b',
      'ENV A=1',
      'WORKDIR /w',
      '\\',
    ],
    ...[
      'RUN pip install a',
      'RUN ["pip", "install", "b"]',
      'FROM python',
      'FROM scratch AS s',
      'USER app',
      '  CMD x  ',
    ],
  )
  const file = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
    .map(([lines, newline, last]) => ['FROM python', ...lines].join(newline) + (last ? newline : ''))
  const parsed = (text: string): ReturnType<typeof parseDockerfile> | undefined => {
    try {
      return parseDockerfile(text, 'Dockerfile')
    } catch {
      return undefined
    }
  }

  test('comes out byte for byte when nothing is put into layers', () => {
    fc.assert(
      fc.property(file, (text) => {
        const dockerfile = parsed(text)
        if (dockerfile === undefined) return
        expect(renderLinked(dockerfile, [], view)).toMatchObject({ text, links: [] })
      }),
    )
  })

  test('is made of instructions that don’t overlap, in order, with only gaps and comments between', () => {
    fc.assert(
      fc.property(file, (text) => {
        if (parsed(text) === undefined) return
        let at = 0
        for (const { start, headEnd, end } of scanInstructions(text).instructions) {
          expect(text.slice(at, start)).toMatch(/^(?:\s*(?:#.*)?[\r\n]+)*\s*$/)
          expect(start <= headEnd && headEnd <= end).toBe(true)
          at = end
        }
      }),
    )
  })

  test('can be read again after a rewrite, twice with the same bytes, and every other line is still there', () => {
    fc.assert(
      fc.property(file, (text) => {
        if (parsed(text) === undefined) return
        const rendered = render(text, [heavy, light])
        expect(render(text, [heavy, light])).toBe(rendered)
        const steps = plannedLayers(text, view, [heavy]).flatMap(({ steps }) => steps)
        const gone = new Set(
          steps.flatMap(({ lines }) => Array.from({ length: lines.last - lines.first + 1 }, (_, i) => lines.first + i)),
        )
        const kept = text.split('\n').filter((_, index) => !gone.has(index + 1))
        const result = rendered
          .split('\n')
          .map((row) => row.replace('COPY --link ', 'COPY ').replace(/--from=\d+/, '--from=0'))
        let at = 0
        for (const row of kept) {
          const found = result.indexOf(row, at)
          expect(found).toBeGreaterThanOrEqual(at)
          at = found + 1
        }
        expect(parseDockerfile(rendered, 'Dockerfile').stages.length).toBeGreaterThan(0)
      }),
    )
  })
})
