import { describe, expect, test } from '@jest/globals'
import { basePython } from '../../src/image/base-python.ts'

const official = { PYTHON_VERSION: '3.12.4', PATH: '/usr/local/bin:/usr/bin:/bin' }

test("Docker's Python images are known by their environment", () => {
  expect(basePython({ env: official, history: ['CMD ["python3"]'] }, undefined)).toEqual({
    kind: 'known',
    version: '3.12',
    prefix: '/usr/local',
    interpreter: '/usr/local/bin/python3.12',
    shipped: ['pip'],
  })
})

test('older ones ship setuptools and wheel, too', () => {
  const python = basePython({ env: { ...official, PYTHON_VERSION: '3.11.9' }, history: [] }, undefined)
  expect(python).toMatchObject({ shipped: ['pip', 'setuptools', 'wheel'] })
})

describe('nothing is guessed', () => {
  const cases: readonly [string, Parameters<typeof basePython>[0], string | undefined, string][] = [
    ['without PYTHON_VERSION', { env: { PATH: official.PATH }, history: [] }, undefined, 'does not tell its Python'],
    ['when the input says another version', { env: official, history: [] }, '3.11', 'python-version is 3.11'],
    [
      'when another folder comes first on PATH',
      { env: { ...official, PATH: '/opt/venv/bin:/usr/local/bin' }, history: [] },
      undefined,
      'another folder',
    ],
    [
      'when packages were installed with pip',
      { env: official, history: ['RUN /bin/sh -c pip install torch==2.1 # buildkit'] },
      undefined,
      'already has Python packages',
    ],
    [
      'when packages were installed with uv',
      { env: official, history: ['RUN uv sync --frozen'] },
      undefined,
      'already has Python packages',
    ],
    [
      'when a requirements file was installed',
      { env: official, history: ['RUN pip install -r requirements.txt'] },
      undefined,
      'already has Python packages',
    ],
    [
      'when conda made it',
      { env: official, history: ['RUN conda install numpy'] },
      undefined,
      'already has Python packages',
    ],
  ]
  test.each(cases)('%s', (_, config, wanted, reason) => {
    const python = basePython(config, wanted)
    expect(python.kind === 'unknown' ? python.reason : '').toContain(reason)
  })
})

test.each([
  "RUN /bin/sh -c set -eux; pip3 install --disable-pip-version-check --no-cache-dir --no-compile 'setuptools==65.5.1' 'wheel<0.46' ; pip3 --version # buildkit",
  'RUN /bin/sh -c python get-pip.py "pip==24.0"',
  'ENV PYTHON_VERSION=3.12.4',
])('what the official images themselves do is no reason to refuse: %s', (step) => {
  expect(basePython({ env: official, history: [step] }, '3.12').kind).toBe('known')
})
