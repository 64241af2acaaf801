import { describe, expect, test } from '@jest/globals'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { externalImages, resolveStages } from '../../src/dockerfile/stage-graph.ts'

const text = `ARG PYTHON=3.12
ARG UNUSED
FROM python:\${PYTHON}-slim AS base
ARG BASE_ARG
FROM golang:1 AS tool
ARG TOOL_ARG
FROM base AS build
ARG BUILD_ARG=1
COPY --link --from=tools.example/uv:1 /uv /bin/
RUN --mount=type=bind,from=wheels.example/cache,target=/w --mount=type=cache,target=/c x
FROM scratch AS final
COPY --from=build /app /app
COPY --from=0 /x /x
FROM final AS tests
COPY --from=tool /t /t
`
const dockerfile = parseDockerfile(text, 'Dockerfile')

describe('the stages of a build', () => {
  test('bases are stages, images or nothing, with build arguments filled in', () => {
    const { stages } = resolveStages(dockerfile, { buildArgs: { PYTHON: '3.13' } })
    expect(stages.map(({ base }) => base)).toEqual([
      { kind: 'image', reference: 'python:3.13-slim' },
      { kind: 'image', reference: 'golang:1' },
      { kind: 'stage', index: 0 },
      { kind: 'scratch' },
      { kind: 'stage', index: 3 },
    ])
  })

  test('only stages that the target needs count', () => {
    expect(resolveStages(dockerfile, { target: 'Final' }).reachable).toEqual([0, 2, 3])
    expect(resolveStages(dockerfile, {}).reachable).toEqual([0, 1, 2, 3, 4])
  })

  test('images come from FROM, COPY --from and mounts, each once', () => {
    expect(externalImages(dockerfile, { target: 'final' })).toEqual([
      { reference: 'python:3.12-slim', platform: undefined, line: 3 },
      { reference: 'tools.example/uv:1', platform: undefined, line: 9 },
      { reference: 'wheels.example/cache', platform: undefined, line: 10 },
    ])
  })

  test('platform arguments are provided', () => {
    const file = parseDockerfile(`FROM --platform=$BUILDPLATFORM base-\${TARGETARCH}\n`, 'Dockerfile')
    expect(externalImages(file, { platform: 'linux/arm64' })).toEqual([
      { reference: 'base-arm64', platform: 'linux/arm64', line: 1 },
    ])
  })

  test('a stage name hides an image only below it, and FROM compares names exactly', () => {
    const file = parseDockerfile('FROM python AS python\nFROM python\nFROM Python\n', 'Dockerfile')
    expect(resolveStages(file, {}).stages.map(({ base }) => base)).toEqual([
      { kind: 'image', reference: 'python' },
      { kind: 'stage', index: 0 },
      { kind: 'image', reference: 'Python' },
    ])
  })

  test('an empty base and an unknown target are mistakes with a line', () => {
    const open = parseDockerfile('ARG V\nFROM $V\n', 'Dockerfile')
    expect(() => resolveStages(open, {})).toThrow('Dockerfile:2: the base $V comes out empty')
    expect(resolveStages(open, { buildArgs: { V: 'x' } }).stages[0]?.base).toEqual({ kind: 'image', reference: 'x' })
    expect(() => resolveStages(dockerfile, { target: 'prod' })).toThrow('there is no stage "prod"')
  })
})
