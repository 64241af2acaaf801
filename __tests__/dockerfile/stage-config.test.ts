import { describe, expect, test } from '@jest/globals'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { type RewrittenSteps, type StageConfig, stageConfig } from '../../src/dockerfile/stage-config.ts'

// What BuildKit itself makes of such files is compared in integration/stage-config.itg.ts.

const base = {
  created: '2024-05-01T00:00:00Z',
  author: 'someone',
  architecture: 'amd64',
  os: 'linux',
  variant: 'v1',
  docker_version: '20.10',
  config: {
    Hostname: 'abc',
    Env: ['PATH=/usr/local/bin:/bin', 'LANG=C.UTF-8'],
    Cmd: ['python3'],
    Labels: { vendor: 'base' },
    ExposedPorts: { '80/tcp': {} },
    Healthcheck: { Test: ['CMD', 'x'], Interval: 5_000_000_000 },
  },
  rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
  history: [
    { created: '2024-05-01T00:00:00Z', created_by: 'ADD rootfs' },
    { created_by: 'CMD ["python3"]', comment: 'old', empty_layer: true },
  ],
}

const known = { architecture: 'amd64', os: 'linux', config: { Env: ['PATH=/bin'] } }

function configOf(
  steps: string,
  more: {
    readonly base?: unknown
    readonly view?: Partial<BuildView>
    readonly labels?: ReadonlyMap<string, string>
    readonly rewritten?: RewrittenSteps
  } = {},
): StageConfig {
  const dockerfile = parseDockerfile(/^(?:FROM|#)/.test(steps) ? steps : `FROM python\n${steps}\n`, 'Dockerfile')
  const view: BuildView = { baseImage: () => ({ env: {} }), contextFiles: [], ...more.view }
  return stageConfig(dockerfile, view, more.base ?? base, more.labels ?? new Map(), more.rewritten)
}

function jsonOf(config: StageConfig): Record<string, unknown> & { readonly config?: Record<string, unknown> } {
  if (config.kind === 'unknown') throw new Error(config.reason)
  return JSON.parse(config.json)
}

describe('the configuration of a stage', () => {
  test('is the base image’s, without what BuildKit leaves behind and what the exporter fills in', () => {
    expect(jsonOf(configOf(''))).toEqual({
      author: 'someone',
      architecture: 'amd64',
      os: 'linux',
      config: {
        Env: base.config.Env,
        Cmd: ['python3'],
        Labels: { vendor: 'base' },
        ExposedPorts: { '80/tcp': {} },
        Healthcheck: base.config.Healthcheck,
      },
      history: base.history,
    })
  })

  const changes: readonly (readonly [steps: string, expected: Readonly<Record<string, unknown>>, history: string])[] = [
    ['ENV LANG=de A="b c"', { Env: ['PATH=/usr/local/bin:/bin', 'LANG=de', 'A=b c'] }, 'ENV LANG=de A=b c'],
    ['WORKDIR /app/', { WorkingDir: '/app/' }, 'WORKDIR /app/'],
    ['WORKDIR app/./x/', { WorkingDir: '/app/x' }, 'WORKDIR /app/x'],
    ['CMD a  "b"', { Cmd: ['/bin/sh', '-c', 'a  "b"'], ArgsEscaped: true }, 'CMD ["/bin/sh" "-c" "a  \\"b\\""]'],
    ['ENTRYPOINT ["a"]', { Entrypoint: ['a'], Cmd: undefined }, 'ENTRYPOINT ["a"]'],
    [
      'EXPOSE 90/UDP 9-10',
      { ExposedPorts: { '80/tcp': {}, '9/tcp': {}, '10/tcp': {}, '90/udp': {} } },
      'EXPOSE [9/tcp 10/tcp 90/udp]',
    ],
    ['LABEL a=$LANG vendor=me', { Labels: { vendor: 'me', a: 'C.UTF-8' } }, 'LABEL a=C.UTF-8 vendor=me'],
    ['VOLUME /a $LANG', { Volumes: { '/a': {}, 'C.UTF-8': {} } }, 'VOLUME [/a C.UTF-8]'],
    ['USER 1:$LANG', { User: '1:C.UTF-8' }, 'USER 1:C.UTF-8'],
    ['STOPSIGNAL SIGINT', { StopSignal: 'SIGINT' }, 'STOPSIGNAL SIGINT'],
    ['SHELL ["/bin/bash", "-c"]', { Shell: ['/bin/bash', '-c'] }, 'SHELL [/bin/bash -c]'],
    [
      'HEALTHCHECK NONE',
      { Healthcheck: { Test: ['NONE'] } },
      'HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}',
    ],
    ['ARG A=1 B', {}, 'ARG A=1 B'],
    ['COPY --link --chown=$LANG a $LANG <<x ./\nx', {}, 'COPY --chown=C.UTF-8 a C.UTF-8 <<x ./ # buildkit'],
  ]
  test.each(changes)('after %s', (steps, expected, text) => {
    const { config, history } = jsonOf(configOf(steps))
    const given: Record<string, unknown> = { ...jsonOf(configOf('')).config, ...expected }
    expect(config).toEqual(JSON.parse(JSON.stringify(given)))
    const empty = /^(?:COPY|WORKDIR)/.test(text) ? {} : { empty_layer: true }
    expect(history).toEqual([...base.history, { created_by: text, comment: 'buildkit.dockerfile.v0', ...empty }])
  })

  test('keeps a command that the stage itself set above its entry point, but not that of a stage below', () => {
    expect(jsonOf(configOf('CMD ["c"]\nENTRYPOINT ["e"]')).config?.Cmd).toEqual(['c'])
    expect(jsonOf(configOf('FROM python AS a\nCMD ["c"]\nFROM a\nENTRYPOINT ["e"]\n')).config?.Cmd).toBeUndefined()
  })

  test('has the labels of the command line, which win', () => {
    const labels = new Map([
      ['vendor', 'flag'],
      ['x', '1'],
    ])
    expect(jsonOf(configOf('LABEL vendor=me a=b', { labels })).config?.Labels).toEqual({
      vendor: 'flag',
      a: 'b',
      x: '1',
    })
  })

  test('tells of rewritten steps what was made of them', () => {
    const rewritten: RewrittenSteps = new Map([
      [2, ['without-layer']],
      [3, [{ text: 'folders', layer: true }, 'as-written']],
      [
        4,
        [
          { text: 'one', layer: true },
          { text: 'two', layer: true },
        ],
      ],
    ])
    const { history } = jsonOf(configOf('WORKDIR /app\nCOPY a b\nRUN pip install a', { rewritten }))
    expect(history).toMatchObject([
      ...base.history,
      { created_by: 'WORKDIR /app', empty_layer: true },
      { created_by: 'folders' },
      { created_by: 'COPY a b # buildkit' },
      { created_by: 'one' },
      { created_by: 'two' },
    ])
  })
})

describe('the configuration is left to BuildKit', () => {
  const steps: readonly (readonly [steps: string, reason: string])[] = [
    ['RUN make', 'RUN in line 2 has not been looked into'],
    ['ADD a b', 'ADD in line 2'],
    ['MAINTAINER me', 'MAINTAINER in line 2'],
    ['ONBUILD RUN x', 'ONBUILD in line 2'],
    ['EXPOSE 127.0.0.1:80:80', 'the port 127.0.0.1:80:80'],
    ['EXPOSE 80/icmp', 'the port 80/icmp'],
    ['EXPOSE 70000', 'the port 70000'],
    ['HEALTHCHECK --interval=1µs CMD x', '--interval=1µs'],
    ['HEALTHCHECK --every=1s CMD x', '--every'],
    ['HEALTHCHECK CMD', 'neither CMD nor NONE'],
    ['LABEL a', 'LABEL in line 2'],
    ['CMD --flag x', 'CMD in line 2 has flags'],
    ['ARG BUILDPLATFORM', 'BUILDPLATFORM'],
    ['ARG https_proxy', 'https_proxy'],
    ['ARG SOURCE_DATE_EPOCH=0', 'SOURCE_DATE_EPOCH'],
    ['FROM scratch\nCMD x\n', 'from scratch'],
    ['FROM --platform=linux/arm64 python\n', 'linux/arm64'],
    ['FROM --platform=$BUILDPLATFORM python\n', '$BUILDPLATFORM'],
    ['# syntax=example/other:1\nFROM python\n', 'read by example/other:1'],
  ]
  test.each(steps)('with %s', (text, reason) => {
    expect(configOf(text)).toEqual({ kind: 'unknown', reason: expect.stringContaining(reason) })
  })

  const bases: readonly (readonly [what: string, base: unknown, reason: string])[] = [
    ['none at all', null, 'not an object'],
    ['triggers', { ...base, config: { ...base.config, OnBuild: ['RUN x'] } }, 'ONBUILD'],
    ['no PATH', { ...base, config: { Env: [] } }, 'no PATH'],
    ['another platform', { ...base, architecture: 'arm64' }, 'not for linux/amd64'],
    ['a relative working directory', { ...base, config: { ...base.config, WorkingDir: 'app' } }, 'relative'],
    ['layers without history', { ...base, history: [] }, 'history does not tell'],
    ['a version of its system', { ...base, 'os.version': '10' }, 'os.version'],
    ['something else than texts', { ...base, config: { Env: [1] } }, 'Env holds something else'],
    ['an unknown shape', { ...known, rootfs: 'x' }, 'rootfs is not an object'],
  ]
  test.each(bases)('on a base image with %s', (_, json, reason) => {
    const config = json === null ? configOf('CMD x', { base: 'x' }) : configOf('CMD x', { base: json })
    expect(config).toEqual({ kind: 'unknown', reason: expect.stringContaining(reason) })
  })

  const views: readonly (readonly [what: string, view: Partial<BuildView>, reason: string])[] = [
    ['another frontend', { buildArgs: { BUILDKIT_SYNTAX: 'x' } }, 'BUILDKIT_SYNTAX'],
    ['a time of its own', { buildArgs: { SOURCE_DATE_EPOCH: '0' } }, 'SOURCE_DATE_EPOCH'],
    ['an unusual platform', { platform: 'linux/riscv64' }, 'linux/riscv64'],
  ]
  test.each(views)('in a build with %s', (_, view, reason) => {
    expect(configOf('CMD x', { view })).toEqual({ kind: 'unknown', reason: expect.stringContaining(reason) })
  })
})
