import { describe, expect, test } from '@jest/globals'
import { basePython } from '../../src/image/base-python.ts'

const official = { PYTHON_VERSION: '3.12.4', PATH: '/usr/local/bin:/usr/bin:/bin' }
/** As older images have it, which don't tell their release. */
const DEBIAN = 'RUN /bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends ca-certificates'

test("Docker's Python images are known by their environment", () => {
  expect(basePython({ env: official, history: [DEBIAN, 'CMD ["python3"]'] }, undefined)).toEqual({
    kind: 'known',
    version: '3.12',
    fullVersion: '3.12.4',
    prefix: '/usr/local',
    interpreter: '/usr/local/bin/python3.12',
    shipped: new Map([['pip', undefined]]),
  })
})

describe('older ones ship setuptools and wheel, too', () => {
  const shipped = (env: Readonly<Record<string, string>>, history: readonly string[]) => {
    const python = basePython(
      { env: { ...official, PYTHON_VERSION: '3.11.9', ...env }, history: [DEBIAN, ...history] },
      undefined,
    )
    return python.kind === 'known' ? Object.fromEntries(python.shipped) : undefined
  }

  test('in versions that the environment tells', () => {
    const env = { PYTHON_PIP_VERSION: '24.0', PYTHON_SETUPTOOLS_VERSION: '65.5.1' }
    expect(shipped(env, [])).toEqual({ pip: '24.0', setuptools: '65.5.1', wheel: undefined })
  })

  test('or in those that a step of the image pins', () => {
    const step = "RUN /bin/sh -c pip3 install --no-cache-dir 'setuptools==79.0.1' 'wheel<0.46' ; # buildkit"
    expect(shipped({}, [step])).toEqual({ pip: undefined, setuptools: '79.0.1', wheel: undefined })
  })
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
    ['when nothing tells its C library', { env: official, history: ['COPY / / # buildkit'] }, undefined, 'C library'],
    [
      'when it is an Alpine of no known release',
      { env: official, history: ['ADD file:1 in /', 'RUN apk add --no-cache ca-certificates'] },
      undefined,
      'Alpine',
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
  expect(basePython({ env: official, history: [DEBIAN, step] }, '3.12').kind).toBe('known')
})

test('on Alpine wheels are for musl', () => {
  const history = ['ADD alpine-minirootfs-3.21.3-x86_64.tar.gz / # buildkit', 'RUN apk add --no-cache tzdata']
  expect(basePython({ env: official, history }, undefined)).toMatchObject({ kind: 'known', libc: 'musl' })
})
