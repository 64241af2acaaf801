import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView, InstallStep, Refusal } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { meansBasePython } from '../../src/dockerfile/python-request.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const view: BuildView = { baseImage: () => python, contextFiles: ['pyproject.toml', 'uv.lock'] }

/** What is found of the last install below these steps. */
function found(...steps: readonly string[]): InstallStep | Refusal | undefined {
  const text = ['FROM python', 'WORKDIR /app', 'COPY pyproject.toml uv.lock ./', ...steps, ''].join('\n')
  return findInstalls(parseDockerfile(text, 'Dockerfile'), view).at(-1)
}

describe('uv sync', () => {
  test.each([
    ['makes its own environment', ['RUN uv sync'], { kind: 'venv', folder: '/app/.venv', makesEnvironment: true }],
    [
      'goes into the system',
      ['ENV UV_PROJECT_ENVIRONMENT=/usr/local', 'RUN uv sync'],
      { kind: 'system', folder: undefined, makesEnvironment: false },
    ],
    [
      'goes into the active environment when told to',
      ['ENV VIRTUAL_ENV=/opt/env', 'RUN uv venv -p 3.12 /opt/env', 'RUN uv sync --active'],
      { kind: 'venv', folder: '/opt/env', makesEnvironment: false, shipped: [] },
    ],
    [
      'goes into its own environment when another one is active',
      ['ENV VIRTUAL_ENV=/opt/env', 'RUN uv sync'],
      { folder: '/app/.venv', makesEnvironment: true },
    ],
    [
      'leaves what the environment was made with',
      ['RUN python -m venv .venv', 'RUN uv sync'],
      { folder: '/app/.venv', makesEnvironment: false, shipped: ['pip', 'setuptools'] },
    ],
  ])('%s', (_, steps, target) => {
    expect(found(...steps)).toMatchObject({ installer: 'uv', target, stays: undefined })
  })

  test.each([
    ['the system had before', 'ENV UV_PROJECT_ENVIRONMENT=/usr/local', 'RUN pip install poetry'],
    ['the environment had before', 'RUN python -m venv .venv', 'RUN .venv/bin/pip install setuptools wheel'],
  ])('takes out what %s, so it stays', (_, ...steps) => {
    expect(found(...steps, 'RUN uv sync')).toMatchObject({ stays: { code: 'environment' } })
    expect(found(...steps, 'RUN uv sync --inexact')).toMatchObject({ stays: undefined })
  })

  test('leaves pip and itself where they were', () => {
    const system = 'ENV UV_PROJECT_ENVIRONMENT=/usr/local'
    expect(found(system, 'RUN pip install -U pip uv', 'RUN uv sync')).toMatchObject({ stays: undefined })
  })

  test.each([
    ['UV_PYTHON_PREFERENCE=only-system', 'uv sync', true],
    ['UV_PYTHON_PREFERENCE=only-managed', 'uv sync', false],
    ['UV_PYTHON=python3.12', 'uv sync', true],
    ['UV_PYTHON=3.11', 'uv sync', false],
    ['UV_NO_MANAGED_PYTHON=1', 'uv sync', true],
    ['A=1', 'uv sync --python-preference system --python 3.12.4', true],
    ['A=1', 'uv sync --python-preference managed', false],
    ['A=1', 'uv sync --python 3.13', false],
  ])('with %s, %s takes the base image’s Python: %s', (env, command, known) => {
    expect('installer' in (found(`ENV ${env}`, `RUN ${command}`) ?? {})).toBe(known)
  })

  test('isn’t misled by an argument of the user’s that has the name of the base image’s variable', () => {
    const step = found('ARG PYTHON_VERSION=3.11', 'RUN uv sync --python $PYTHON_VERSION')
    expect(step).toMatchObject({ code: 'unknown-option' })
  })
})

test.each([
  ['3', true],
  ['3.12', true],
  ['3.12.4', true],
  ['3.1', false],
  ['3.12.3', false],
  ['python3', true],
  ['python', true],
  ['cpython3.12', true],
  ['/usr/local/bin/python3.12', true],
  ['/usr/bin/python3.12', false],
  ['pypy3.12', false],
  ['>=3.12', false],
  ['', false],
])('uv takes a Python 3.12.4 for %s: %s', (request, is) => {
  expect(meansBasePython(request, '3.12.4')).toBe(is)
  expect(meansBasePython(request, undefined)).toBe(false)
})
