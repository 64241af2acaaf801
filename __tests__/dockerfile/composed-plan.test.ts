import { describe, expect, test } from '@jest/globals'
import { type ComposedPlan, planComposed } from '../../src/dockerfile/composed-plan.ts'
import type { StageLayers } from '../../src/dockerfile/dependency-stage.ts'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { groupKey } from '../../src/dockerfile/group-key.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { platformLayers } from '../../src/dockerfile/platform-layers.ts'
import { renderGroups, renderRest } from '../../src/dockerfile/render-composed.ts'
import type { LayerGroup } from '../../src/layers/layer-plan.ts'
import { lockedPackage } from '../support/locked-package.ts'
import { plannedLayers } from '../support/planned-layers.ts'

const base: BaseImage = { env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const view: BuildView = {
  baseImage: () => base,
  contextFiles: ['requirements.txt', 'main.py', 'app/main.py', 'app/conf/a.ini'],
}
const form = { compression: 'zstd', salt: '' }

function group(...names: readonly string[]): LayerGroup {
  return { packages: names.map((name) => lockedPackage(name)), size: 1, changeRate: 0.1, reason: 'for the test' }
}

const GROUPS = [group('torch', 'sympy'), group('idna')]

function plan(
  text: string,
  options: Partial<BuildView> = {},
  more: Partial<StageLayers> = {},
): ComposedPlan | { readonly reason: string } {
  const given = { ...view, ...options }
  const layers = plannedLayers(text, view, GROUPS).map((entry) => ({ ...entry, ...more }))
  return planComposed(parseDockerfile(text, 'Dockerfile'), layers, given)
}

function composed(text: string, more: Partial<StageLayers> = {}): ComposedPlan {
  const planned = plan(text, {}, more)
  if ('reason' in planned) throw new Error(planned.reason)
  return planned
}

function shortly({ parts }: ComposedPlan): readonly string[] {
  return parts.map((part) => {
    if (part.kind === 'group') return part.name
    return part.kind === 'copy' ? part.text : `folders ${part.paths.join(' ')}`
  })
}

const SERVICE = `FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
ENV A=1
COPY app ./app
CMD ["python", "-m", "app"]
`

const VENV: Partial<StageLayers> = {
  prefix: '/opt/venv',
  environment: '/opt/venv',
  interpreter: '/opt/venv/bin/python',
}
const BUILDER = `FROM python AS built
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
RUN pip install idna
FROM python
COPY --from=built /opt/venv /opt/venv
`
const SKELETON = {
  projectFolder: '/app',
  projectName: 'app',
  requiresPython: undefined,
  pythonFullVersion: '3.12.4',
}

describe('where steps may be built before the layers, a composed image', () => {
  const text = `${SERVICE}RUN useradd app\nRUN mkdir /data\nCOPY app /late/\n`

  test('is none without that', () => {
    expect(plan(text)).toEqual({ reason: 'the RUN in line 9 runs on top of the dependencies' })
  })

  test('has the layers on top of what is built of the steps', () => {
    const planned = plan(text, { reorder: true })
    if ('reason' in planned) throw new Error(planned.reason)
    expect(planned.below).toBe(8)
    expect(planned.passed).toEqual(new Map([8, 9].map((line) => [line, 4])))
    expect(shortly(planned)).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2', 'COPY --link app /late/'])
    expect(planned.history.get(0)).toHaveLength(2)
    const rest = renderRest(parseDockerfile(text, 'Dockerfile'), planned, [], view)
    expect(rest.text.slice(rest.text.indexOf('FROM python:3.12-slim AS image-cache-below'))).toBe(
      `FROM python:3.12-slim AS image-cache-below
WORKDIR /app
COPY requirements.txt .
# image-cache: the layers of line 4 lie on top of this stage
ENV A=1
COPY app ./app
CMD ["python", "-m", "app"]
RUN useradd app
RUN mkdir /data
`,
    )
  })

  test('is none where one of them may need the packages', () => {
    const planned = plan(`${text}RUN python x.py\n`, { reorder: true })
    expect(planned).toEqual({ reason: 'the RUN in line 11 runs on top of the dependencies' })
  })

  test('takes over a tree behind them, and not what another stage of it was built with', () => {
    const planned = plan(`${BUILDER}RUN useradd app\n`, { reorder: true }, VENV)
    if ('reason' in planned) throw new Error(planned.reason)
    expect(planned.passed).toEqual(new Map([[7, 6]]))
    expect(shortly(planned)).toEqual([
      'COPY --link --from=image-cache-before-0 /opt/venv/ /opt/venv/',
      'image-cache-deps-0-1',
      'image-cache-deps-0-2',
    ])
    const copies = planned.parts.filter((part) => part.kind === 'copy')
    const { text: rest } = renderRest(
      parseDockerfile(`${BUILDER}RUN useradd app\n`, 'Dockerfile'),
      planned,
      copies,
      view,
    )
    expect(rest.slice(rest.indexOf('FROM python AS image-cache-below'))).toBe(`FROM python AS image-cache-below
# image-cache: the layers of line 6 lie on top of this stage
RUN useradd app
FROM image-cache-below AS image-cache-rest
COPY --link --from=image-cache-before-0 /opt/venv/ /opt/venv/
`)
  })
})

describe('a composed image', () => {
  test('has its folders at the bottom, then each step’s layers in the order of the file', () => {
    const planned = composed(SERVICE)
    expect(planned.below).toBe(0)
    expect(shortly(planned)).toEqual([
      'folders /app',
      'COPY --link requirements.txt /app/',
      'image-cache-deps-0-1',
      'image-cache-deps-0-2',
      'COPY --link app /app/app',
    ])
    expect(planned.links).toMatchObject([
      { line: 2, linked: true },
      { line: 3, linked: true },
      { line: 6, linked: true },
    ])
  })

  test('for several platforms has on each the groups that this one takes, under the same names', () => {
    const takenBy = (name: string, ...platforms: readonly string[]): LayerGroup => {
      const own = lockedPackage(name)
      const onPlatforms = new Map(platforms.map((platform) => [platform, own]))
      return { ...group(name), packages: [{ ...own, onPlatforms }] }
    }
    const groups = [takenBy('nvidia-cublas', 'linux/amd64'), takenBy('torch', 'linux/amd64', 'linux/arm64')]
    const shared = plannedLayers(SERVICE, view, groups)
    const partsOn = (platform: string) => {
      const own = shared.map((one) => platformLayers({ ...one, morePlatforms: ['linux/arm64'] }, platform))
      const planned = planComposed(parseDockerfile(SERVICE, 'Dockerfile'), own, view)
      if ('reason' in planned) throw new Error(planned.reason)
      return planned
    }
    expect(shortly(partsOn('linux/arm64')).filter((part) => part.startsWith('image-cache'))).toEqual([
      'image-cache-deps-0-2',
    ])
    const amd64Groups = partsOn('linux/amd64').parts.filter((part) => part.kind === 'group')
    expect(amd64Groups.map(({ name }) => name)).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2'])
    // A build for this platform alone has the very same layers.
    const [alone] = plannedLayers(SERVICE, view, [group('nvidia-cublas')])
    const [first] = amd64Groups
    if (alone?.plan.groups[0] === undefined || first === undefined) throw new Error('there is a group')
    expect(groupKey(first.layers, first.group, form)).toBe(groupKey(alone, alone.plan.groups[0], form))
  })

  test('tells of as many layers as it has parts', () => {
    const { history, parts } = composed(SERVICE)
    const entries = [...history.values()].flat()
    const told = entries.filter((entry) => entry === 'as-written' || (entry !== 'without-layer' && entry.layer))
    expect(told).toHaveLength(parts.length)
    expect(history.get(4)).toEqual([
      { text: 'RUN pip install -r requirements.txt # image-cache: layer 1 of 2', layer: true },
      { text: 'RUN pip install -r requirements.txt # image-cache: layer 2 of 2', layer: true },
    ])
  })

  test('keeps flags, fills in variables and knows the working directory', () => {
    const text = `FROM python AS built
RUN make
FROM python
ARG DIR=app
WORKDIR /srv/code
COPY --from=built --chown=0:0 /dist/ ./dist/
RUN pip install idna
COPY \${DIR}/main.py \\
  other.py
COPY --link --chown=5:5 app /opt/x/
`
    expect(shortly(composed(text))).toEqual([
      'folders /srv/code',
      'COPY --link --from=built --chown=0:0 dist/ /srv/code/dist/',
      'image-cache-deps-1-1',
      'image-cache-deps-1-2',
      'COPY --link app/main.py /srv/code/other.py',
      'COPY --link --chown=5:5 app /opt/x/',
    ])
  })

  test('writes a slash where the destination is a folder of a WORKDIR', () => {
    expect(shortly(composed('FROM python\nWORKDIR /app\nRUN pip install idna\nCOPY . /app\n'))).toContain(
      'COPY --link . /app/',
    )
  })

  test('stands on an ordinary image where steps before the installs need files', () => {
    const text = `ARG BASE=python
FROM \${BASE} AS low
RUN apt-get update && apt-get install -y \\
    libpq5
FROM low
ENV A=1
WORKDIR /app
RUN pip install idna
COPY app ./app
`
    const planned = composed(text)
    expect(planned.below).toBe(1)
    expect(shortly(planned)).toEqual([
      'folders /app',
      'image-cache-deps-1-1',
      'image-cache-deps-1-2',
      'COPY --link app /app/app',
    ])
    const copies = planned.parts.filter((part) => part.kind === 'copy')
    const rest = renderRest(parseDockerfile(text, 'Dockerfile'), planned, copies, view)
    expect(rest.target).toBe('image-cache-rest')
    expect(rest.text).toBe(`${text}# image-cache: what the image has besides layers of dependencies
FROM \${BASE} AS image-cache-below
RUN apt-get update && apt-get install -y \\
    libpq5
FROM image-cache-below AS image-cache-rest
COPY --link app /app/app
`)
    const lines = rest.text.split('\n')
    const places = lines.map((_, at) => rest.originalLine(at + 1))
    expect(places.slice(0, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(places.slice(9)).toEqual([undefined, 2, 3, 4, undefined, 9, undefined])
  })

  test('stands on what stays of the step with the install', () => {
    const text = `FROM python
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/pip ldconfig && pip install idna
COPY app ./app
`
    const planned = composed(text)
    expect(planned.below).toBe(2)
    expect(shortly(planned)).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2', 'COPY --link app /app/app'])
    expect(planned.history.get(0)).toHaveLength(2)
    const rest = renderRest(parseDockerfile(text, 'Dockerfile'), planned, [], view)
    expect(rest.text.slice(text.length)).toContain(
      'WORKDIR /app\nRUN --mount=type=cache,target=/root/.cache/pip ldconfig\n',
    )
  })

  test('has the environment that `uv sync` would make as a layer of its own', () => {
    const planned = composed(SERVICE, { ...VENV, skeleton: SKELETON })
    expect(shortly(planned)).toEqual([
      'folders /app',
      'COPY --link requirements.txt /app/',
      'image-cache-venv-0',
      'image-cache-deps-0-1',
      'image-cache-deps-0-2',
      'COPY --link app /app/app',
    ])
    expect(planned.history.get(4)).toHaveLength(3)
    expect(renderGroups(planned.parts, {})).toContain('AS image-cache-venv-0\n')
  })

  test('takes the layers of another stage where its whole tree is copied, and the environment as it was before', () => {
    const planned = composed(BUILDER, VENV)
    expect(planned.below).toBe(0)
    expect(shortly(planned)).toEqual([
      'COPY --link --from=image-cache-before-0 /opt/venv/ /opt/venv/',
      'image-cache-deps-0-1',
      'image-cache-deps-0-2',
    ])
    expect(planned.history.get(6)).toHaveLength(3)
    const copies = planned.parts.filter((part) => part.kind === 'copy')
    const rest = renderRest(parseDockerfile(BUILDER, 'Dockerfile'), planned, copies, view)
    expect(rest.text).toBe(`FROM python AS image-cache-before-0
RUN python -m venv /opt/venv
ENV PATH="/opt/venv/bin:$PATH"
FROM image-cache-before-0 AS built
RUN pip install idna
FROM python
COPY --from=built /opt/venv /opt/venv
# image-cache: what the image has besides layers of dependencies
FROM scratch AS image-cache-rest
COPY --link --from=image-cache-before-0 /opt/venv/ /opt/venv/
`)
    expect([2, 3, 5, 10].map((line) => rest.originalLine(line))).toEqual([2, 3, 4, 6])
  })

  test('takes a tree of packages to where it is copied, and needs nothing else of its stage', () => {
    const text = `FROM python AS built
RUN pip install --prefix=/install idna
FROM python
COPY --from=built /install /usr/local
COPY app /srv/app/
`
    const planned = composed(text, { prefix: '/install' })
    expect(shortly(planned)).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2', 'COPY --link app /srv/app/'])
    expect(planned.edits).toEqual([])
    expect(renderGroups(planned.parts, {})).toContain('/layer/usr/local')
  })

  test('needs the lower image alone where all copies are there', () => {
    const text = 'FROM python\nRUN ldconfig\nRUN pip install idna\n'
    const rest = renderRest(parseDockerfile(text, 'Dockerfile'), composed(text), [], view)
    expect(rest.target).toBe('image-cache-below')
    expect(rest.text).not.toContain('image-cache-rest')
  })

  test('installs each group at its final place, as the last step of an image', () => {
    const groups = renderGroups(composed(SERVICE).parts, {})
    const { stages } = parseDockerfile(groups, 'Dockerfile')
    expect(stages.map(({ name }) => name)).toEqual(['image-cache-deps-0-1', 'image-cache-deps-0-2'])
    expect(stages.map(({ instructions }) => instructions.map(({ keyword }) => keyword))).toEqual([['RUN'], ['RUN']])
    expect(groups).toContain("merge /layer ''")
    const one = renderGroups(composed(SERVICE).parts.slice(2, 3), {})
    expect(parseDockerfile(one, 'Dockerfile').stages.map(({ name }) => name)).toEqual([
      'image-cache-deps-0-1',
      'image-cache-none',
    ])
  })

  test('leaves no environment behind that is there for the scripts’ sake', () => {
    const [layers] = plannedLayers(SERVICE, view, GROUPS)
    if (layers === undefined) throw new Error('no layers')
    const venv = { ...layers, prefix: '/opt/venv', environment: '/opt/venv', interpreter: '/opt/venv/bin/python' }
    const made = planComposed(parseDockerfile(SERVICE, 'Dockerfile'), [venv], view)
    const groups = 'reason' in made ? '' : renderGroups(made.parts, {})
    expect(groups).toMatch(/uv venv .*\/opt\/venv\n(?:.*\n)+rm -rf \/opt\/venv\n(?:.*\n)+merge \/layer ''/)
  })
})

describe('an image is not composed', () => {
  test.each([
    ['a step on top of the dependencies', `${SERVICE}RUN python -m app.check\n`, 'the RUN in line 8 runs on top'],
    ['an ADD on top', `${SERVICE}ADD app /x/\n`, 'the ADD in line 8'],
    ['a COPY that isn’t linked', `${SERVICE}COPY app /usr/local/app/\n`, 'the COPY in line 8 needs the files below it'],
    ['a COPY that looks up its owner', `${SERVICE}COPY --link --chown=app app /x/\n`, 'looks up the owner app'],
    ['files in the Dockerfile', `${SERVICE}COPY <<a /x/\nb\na\n`, 'has its files in the Dockerfile'],
    ['a quoted path', `${SERVICE}COPY ["app", "/with space/"]\n`, 'is written in an unusual way'],
    [
      'a folder that a RUN may have made',
      'FROM python\nRUN mkdir /app\nWORKDIR /app\nRUN pip install idna\n',
      'may have made /app',
    ],
    ['a folder of the base image', 'FROM python\nWORKDIR /usr/src\nRUN pip install idna\n', 'WORKDIR in line 2'],
    ['no dependencies', 'FROM python\nCOPY app /x/\n', 'no layers of dependencies'],
    ['a line that does not end', 'FROM python\nRUN pip install idna\nCMD x \\', 'last line'],
  ])('with %s', (_, text, reason) => {
    expect(plan(text)).toEqual({ reason: expect.stringContaining(reason) })
  })

  test('with layers that stand before an install that stays', () => {
    const text = 'FROM python\nRUN pip install idna\n'
    const layers = plannedLayers(text, view, GROUPS).map((entry) => ({ ...entry, way: 'seed' as const }))
    expect(planComposed(parseDockerfile(text, 'Dockerfile'), layers, view)).toEqual({
      reason: 'the install in line 2 runs on top of its layers',
    })
  })

  test('with a part of a later step that stays', () => {
    const text = 'FROM python\nRUN pip install idna\nRUN ldconfig && pip install six\n'
    expect(plan(text)).toEqual({ reason: 'the RUN in line 3 runs on top of the dependencies' })
  })

  test.each([
    ['other files of it', 'COPY --from=built /dist /dist/\n'],
    ['a mount', 'RUN --mount=type=bind,from=built,target=/x ldconfig\n'],
  ])('with dependencies in a stage of which %s are needed, too', (_, step) => {
    const text = `${BUILDER}${step}`
    expect(plan(text, {}, VENV)).toEqual({
      reason: expect.stringContaining('the stage in line 1 has layers, and other'),
    })
  })

  test('with a beginning of a stage where stages are named by their numbers', () => {
    expect(plan(`${BUILDER}COPY --from=0 /dist /dist/\n`, {}, VENV)).toEqual({ reason: expect.any(String) })
  })

  test('with packages of another user than root', () => {
    const text = 'FROM python\nRUN useradd -m app\nUSER app\nRUN pip install idna\n'
    expect(plan(text, {}, { owner: 'app', prefix: '/home/app/.local' })).toEqual({
      reason: "the packages of line 4 are app's, which needs the files below them",
    })
  })

  test('with dependencies in a stage that files are copied from', () => {
    const text = 'FROM python AS built\nRUN pip install idna\nFROM python\nCOPY --from=built /usr/local /usr/local\n'
    expect(plan(text)).toEqual({ reason: expect.stringContaining('the stage in line 1') })
  })
})

describe('the key of a group', () => {
  const [layers] = plannedLayers(SERVICE, view, GROUPS)
  if (layers === undefined) throw new Error('no layers')
  const key = (more: Partial<StageLayers>, of: LayerGroup = group('idna'), by = form) =>
    groupKey({ ...layers, ...more }, of, by)

  test('stays wherever the same files come from and whatever stands beside it', () => {
    const settings = { indexUrl: 'https://index.example/simple', extraIndexUrls: [], findLinks: [], preReleases: true }
    const own = key({})
    expect(key({ settings })).toBe(own)
    expect(key({ installerImage: 'mirror.example/uv@sha256:abc' })).toBe(own)
    expect(key({ stage: 3, plan: { groups: [] } })).toBe(own)
    expect(key({}, group('sympy', 'torch'))).toBe(key({}, group('torch', 'sympy')))
  })

  test.each([
    ['another package', {}, group('six'), form],
    ['another installer image', { installerImage: 'tools.example/python-uv@sha256:def' }, group('idna'), form],
    ['another target path', { prefix: '/app/.venv' }, group('idna'), form],
    ['another interpreter', { interpreter: '/usr/bin/python3' }, group('idna'), form],
    ['no bytecode', { bytecode: false }, group('idna'), form],
    ['another platform', { platform: 'linux/arm64' }, group('idna'), form],
    ['another compression', {}, group('idna'), { compression: 'gzip', salt: '' }],
    ['another salt', {}, group('idna'), { compression: 'zstd', salt: 'x' }],
  ] as const)('is another one with %s', (_, more, of, by) => {
    expect(key(more, of, by)).not.toBe(key({}))
  })
})
