import { describe, expect, test } from '@jest/globals'
import { readInstallCommand } from '../../src/dockerfile/install-command.ts'

const read = (line: string): ReturnType<typeof readInstallCommand> =>
  readInstallCommand({ assignments: {}, words: line.split(' ') })

describe('install commands that are understood', () => {
  const cases: readonly (readonly [line: string, expected: object])[] = [
    ['pip install a b==1', { installer: 'pip', packages: ['a', 'b==1'] }],
    ['pip3 install -r r.txt', { requirements: ['r.txt'] }],
    ['pip3.12 install a', { pythonVersion: '3.12', packages: ['a'] }],
    ['python -m pip install -rr.txt -cc.txt', { requirements: ['r.txt'], constraints: ['c.txt'] }],
    ['/usr/local/bin/python3 -m pip install a', { installer: 'pip' }],
    ['pip --no-cache-dir install -qU a', { packages: ['a'] }],
    ['pip install -qr r.txt --requirement=s.txt', { requirements: ['r.txt', 's.txt'] }],
    [
      'pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --progress-bar off a',
      { packages: ['a'] },
    ],
    [
      'pip install -i https://index.example/simple --extra-index-url https://more.example/ -f https://files.example/ a',
      {
        indexUrl: 'https://index.example/simple',
        extraIndexUrls: ['https://more.example/'],
        findLinks: ['https://files.example/'],
      },
    ],
    ['pip install --pre --no-compile a', { preReleases: true, bytecode: false }],
    [
      'uv pip install --system -r r.txt',
      { installer: 'uv', system: true, requirements: ['r.txt'], bytecode: undefined },
    ],
    ['uv pip install --system --compile-bytecode --prerelease=allow a', { bytecode: true, preReleases: true }],
    [
      'uv pip install --system --default-index https://index.example/simple a',
      { indexUrl: 'https://index.example/simple' },
    ],
    ['pip install --user a', { place: { kind: 'user' } }],
    ['pip install --target=/x a', { place: { kind: 'target', folder: '/x' } }],
    ['pip install -t x a', { place: { kind: 'target', folder: 'x' } }],
    ['pip install --prefix /x a', { place: { kind: 'prefix', folder: '/x' } }],
    ['pip install --break-system-packages --require-hashes a', { packages: ['a'] }],
    ['pip install -e .[dev] a', { locals: ['.[dev]'], packages: ['a'] }],
    ['pip install . ./a a.whl', { locals: ['.', './a', 'a.whl'] }],
    ['pip install git+https://code.example/a.git', { locals: ['git+https://code.example/a.git'] }],
    ['pip install a@https://code.example/a.whl', { locals: ['a@https://code.example/a.whl'] }],
    ['/opt/venv/bin/pip install a', { environment: '/opt/venv', python: undefined }],
    ['/opt/venv/bin/python3 -m pip install a', { environment: '/opt/venv', python: 'python3' }],
    ['/usr/local/bin/pip install a', { environment: undefined }],
    ['uv pip install -p /opt/venv/bin/python a', { environment: '/opt/venv' }],
    ['uv pip install --python /opt/venv a', { environment: '/opt/venv' }],
    ['uv pip install --system -r pyproject.toml', { requirements: ['pyproject.toml'] }],
    ['pip install uvicorn[standard]>=0.30,<1', { packages: ['uvicorn[standard]>=0.30,<1'] }],
  ]
  test.each(cases)('%s', (line, expected) => {
    expect(read(line)).toMatchObject(expected)
  })
})

describe('install commands that are not', () => {
  const cases: readonly (readonly [line: string, code: string, part: string])[] = [
    ['pip install --trusted-host index.example a', 'unknown-option', '--trusted-host'],
    ['uv pip install --system --torch-backend=auto torch', 'unknown-option', '--torch-backend'],
    ['uv pip install --system --prerelease=if-necessary a', 'unknown-option', 'if-necessary'],
    ['pip install --upgrade pip', 'unknown-option', 'pip replaces'],
    ['pip install setuptools>=70 a', 'unknown-option', 'setuptools'],
    ['pip install -r pyproject.toml', 'unknown-option', 'pyproject.toml'],
    ['pip install --no-cache-dir', 'unknown-option', 'no packages'],
    ['pip install --prefix /x --user a', 'unknown-option', '--user'],
    ['pip install --prefix /x --target /y a', 'unknown-option', '--target beside --prefix'],
    ['uv pip install --python 3.12 a', 'unknown-option', '--python 3.12'],
    ['venv/bin/pip install a', 'virtual-environment', 'venv/bin/pip'],
    ['pip install -f wheels a', 'not-only-wheels', 'wheels'],
    ['pip install -r https://code.example/r.txt', 'file-not-found', 'https'],
    ['pip install -r /dev/stdin', 'file-not-found', 'stdin'],
    ['sudo pip install a', 'shell-syntax', 'sudo'],
    ['python setup.py install', 'shell-syntax', 'python'],
  ]
  test.each(cases)('%s', (line, code, part) => {
    expect(read(line)).toMatchObject({ code, sentence: expect.stringContaining(part) })
  })
})
