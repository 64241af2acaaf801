import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { readShellCommand } from '../../src/dockerfile/shell-command.ts'
import { readToolCommand } from '../../src/dockerfile/tool-command.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const contextFiles = ['pyproject.toml', 'poetry.lock', 'pdm.lock', 'Pipfile', 'Pipfile.lock', 'src/main.py']

function find(steps: string, view: Partial<BuildView> = {}): ReturnType<typeof findInstalls> {
  const options: BuildView = { baseImage: () => python, contextFiles, ...view }
  return findInstalls(parseDockerfile(`FROM python\n${steps}\n`, 'Dockerfile'), options)
}

function commandOf(text: string): ReturnType<typeof readToolCommand> {
  const read = readShellCommand(text, () => undefined)
  if ('code' in read) throw new Error(read.sentence)
  return readToolCommand(read)
}

/** Where packages go, or the code of what keeps the step; with what is left of the step. */
function places(steps: string, view?: Partial<BuildView>): readonly string[] {
  return find(steps, view).map((found) => {
    if (!isInstallStep(found)) return found.code
    const { target, remainder, stays } = found
    const rest = remainder === undefined ? '' : ` after ${remainder}`
    return `${target.folder ?? target.kind}${rest}${stays === undefined ? '' : ` ${stays.code}`}`
  })
}

describe('what is asked of a tool', () => {
  const usual = { with: [], without: [], only: undefined, extras: [] }
  test.each([
    ['poetry install', { tool: 'poetry', selection: usual, lock: 'checked', leavesOut: 'nothing', bytecode: false }],
    [
      'poetry install --no-root --only main,web --compile',
      { selection: { ...usual, only: ['main', 'web'] }, leavesOut: 'project', bytecode: true },
    ],
    ['poetry install --only=main --only docs -n --no-ansi', { selection: { ...usual, only: ['main', 'docs'] } }],
    [
      'poetry install --without dev,test --with docs',
      { selection: { ...usual, with: ['docs'], without: ['dev', 'test'] } },
    ],
    [
      '/opt/poetry/bin/poetry install --no-dev -E a -Eb --extras "c d"',
      { selection: { ...usual, without: ['dev'], extras: ['a', 'b', 'c', 'd'] } },
    ],
    ['poetry install --all-extras', { selection: { ...usual, extras: 'all' } }],
    ['poetry install --sync', { code: 'unknown-option' }],
    ['poetry install -C app', { code: 'unknown-option' }],
    [
      'pdm sync --prod --no-editable --no-self',
      { tool: 'pdm', selection: { ...usual, without: ['dev'] }, lock: 'frozen', leavesOut: 'project' },
    ],
    ['pdm install --frozen-lockfile -G web', { selection: { ...usual, with: ['web'] }, leavesOut: 'nothing' }],
    ['pdm install', { code: 'unknown-option' }],
    [
      'pipenv install --system --deploy',
      { tool: 'pipenv', selection: usual, lock: 'checked', leavesOut: 'project', system: true },
    ],
    [
      'pipenv install --system --deploy --ignore-pipfile --dev',
      { lock: 'frozen', selection: { ...usual, with: ['develop'] } },
    ],
    ['pipenv sync', { lock: 'frozen', system: false }],
    ['pipenv install requests', { code: 'unknown-option' }],
  ])('%s', (text, expected) => {
    expect(commandOf(text)).toMatchObject(expected)
  })
})

describe('the place of what a tool installs', () => {
  const files = 'WORKDIR /app\nCOPY pyproject.toml poetry.lock ./\n'
  test.each([
    ['the system', `ENV POETRY_VIRTUALENVS_CREATE=false\n${files}RUN poetry install --no-root`, ['system']],
    ['by its settings', `RUN poetry config virtualenvs.create false\n${files}RUN poetry install`, ['system']],
    [
      'in the step',
      `${files}RUN poetry config virtualenvs.create false && poetry install`,
      ['system after poetry config virtualenvs.create false'],
    ],
    [
      'an environment of its own',
      `ENV POETRY_VIRTUALENVS_IN_PROJECT=1\n${files}RUN poetry install`,
      ['/app/.venv after poetry run true'],
    ],
    [
      'its own, by a variable of the command',
      `${files}RUN mkdir /data && POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-root`,
      ['/app/.venv after mkdir /data && POETRY_VIRTUALENVS_IN_PROJECT=true poetry run true'],
    ],
    [
      'its own, twice',
      `RUN poetry config virtualenvs.in-project true\n${files}RUN poetry install --no-root\nCOPY src src\nRUN poetry install`,
      ['/app/.venv after poetry run true', '/app/.venv'],
    ],
    ['that of the user', `RUN python -m venv /venv\nENV VIRTUAL_ENV=/venv\n${files}RUN poetry install`, ['/venv']],
    ['activated', `RUN python -m venv /venv\n${files}RUN . /venv/bin/activate && poetry install --no-root`, ['/venv']],
    ['not told', `${files}RUN poetry install`, ['virtual-environment']],
    ['nobody’s', `ENV VIRTUAL_ENV=/venv\n${files}RUN poetry install`, ['virtual-environment']],
    ['conda’s', `ENV CONDA_PREFIX=/conda\n${files}RUN poetry install`, ['virtual-environment']],
    [
      'without a lock',
      'ENV POETRY_VIRTUALENVS_CREATE=false\nWORKDIR /app\nCOPY pyproject.toml .\nRUN poetry install',
      ['file-not-found'],
    ],
    [
      'of an old poetry',
      `ENV POETRY_VIRTUALENVS_CREATE=0 POETRY_VERSION=1.3.2\n${files}RUN poetry install`,
      ['environment'],
    ],
    [
      'of an old poetry, pinned',
      `ENV POETRY_VIRTUALENVS_CREATE=0\nRUN pip install 'poetry<1.2'\n${files}RUN poetry install`,
      ['system', 'environment'],
    ],
    [
      'of sources',
      `ENV POETRY_VIRTUALENVS_CREATE=0 POETRY_INSTALLER_NO_BINARY=:all:\n${files}RUN poetry install`,
      ['environment'],
    ],
    [
      'configured in a way that is not clear',
      `RUN if true; then poetry config virtualenvs.create false; fi\n${files}RUN poetry install`,
      ['environment'],
    ],
    [
      'of pdm',
      'WORKDIR /app\nCOPY pyproject.toml pdm.lock ./\nRUN pdm sync --prod --no-self',
      ['/app/.venv after pdm run true'],
    ],
    [
      'of pdm, elsewhere',
      'WORKDIR /app\nCOPY pyproject.toml pdm.lock ./\nRUN mkdir __pypackages__ && pdm sync --prod',
      ['virtual-environment'],
    ],
    ['of pipenv', 'WORKDIR /app\nCOPY Pipfile* ./\nRUN pipenv install --system --deploy', ['system']],
    [
      'of pipenv, beside the project',
      'ENV PIPENV_VENV_IN_PROJECT=1\nWORKDIR /app\nCOPY Pipfile* ./\nRUN pipenv sync',
      ['/app/.venv after pipenv run true'],
    ],
    ['of pipenv, unknown', 'WORKDIR /app\nCOPY Pipfile* ./\nRUN pipenv sync', ['virtual-environment']],
    [
      'of pipenv with a mirror',
      'ENV PIPENV_PYPI_MIRROR=x\nWORKDIR /app\nCOPY Pipfile* ./\nRUN pipenv sync --system',
      ['environment'],
    ],
  ])('%s', (_, steps, expected) => {
    expect(places(steps)).toEqual(expected)
  })

  test('is not its own where something else may lie there', () => {
    const before = 'ENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /app\n'
    const after = 'COPY . .\nRUN poetry install --no-root'
    const own = { contextFiles: [...contextFiles, '.venv/bin/python'] }
    expect(places(`${before}${after}`)).toEqual(['/app/.venv after poetry run true'])
    expect(places(`${before}${after}`, own)).toEqual(['environment'])
    expect(places(`${before}RUN ./setup\n${after}`)).toEqual(['environment'])
  })

  test.each([
    'curl -sSL https://install.python-poetry.org | python3 -',
    'curl -sSL https://install.python-poetry.org | POETRY_HOME=/opt/poetry python3 - --version 2.1.1',
    'python -m venv /opt/poetry && /opt/poetry/bin/pip install -U pip && /opt/poetry/bin/pip install poetry==2.1.1',
    'pipx install poetry==2.1.1',
    'pip install -U pip && pip install poetry',
    'poetry config installer.max-workers 10',
  ])('is its own beside %s', (setup) => {
    const steps = `RUN ${setup}\nENV POETRY_VIRTUALENVS_IN_PROJECT=1\n${files}RUN poetry install`
    expect(places(steps).at(-1)).toBe('/app/.venv after poetry run true')
  })

  test('may stand in poetry.toml', () => {
    const view = (text: string): Partial<BuildView> => ({
      contextFiles: [...contextFiles, 'poetry.toml'],
      projectFiles: new Map([['poetry.toml', text]]),
    })
    const steps = `WORKDIR /app\nCOPY . .\nRUN poetry install --no-root`
    expect(places(steps, view('[virtualenvs]\nin-project = true\n'))).toEqual(['/app/.venv after poetry run true'])
    expect(places(steps, view('[virtualenvs]\ncreate = false # system\n'))).toEqual(['system'])
    expect(places(steps, { contextFiles: [...contextFiles, 'poetry.toml'] })).toEqual(['environment'])
  })
})

describe('a tool beside what it installs', () => {
  const files = 'ENV POETRY_VIRTUALENVS_CREATE=false\nCOPY pyproject.toml poetry.lock /\n'
  test('is part of the same step', () => {
    const [step] = find(`${files}RUN pip install poetry==2.1.1 && poetry install --no-root && rm -rf /root/.cache`)
    expect(step).toMatchObject({
      packages: ['poetry==2.1.1'],
      project: { tool: 'poetry', bytecode: false },
      bytecode: true,
      stays: undefined,
    })
  })

  test('has its settings written where it isn’t there yet', () => {
    const copied = 'COPY pyproject.toml poetry.lock /\n'
    const file = '/root/.config/pypoetry/config.toml'
    const written = `mkdir -p /root/.config/pypoetry && printf '[virtualenvs]\\ncreate = false\\n' > ${file} && chmod 600 ${file}`
    const step = 'RUN pip install poetry && poetry config virtualenvs.create false && poetry install'
    expect(places(`${copied}${step}`)).toEqual([`system after ${written}`])
    expect(places(`${copied}ENV XDG_CONFIG_HOME=/x\n${step}`)[0]).toMatch(/several-commands$/)
  })

  test('must be there for other settings, so such a step stays', () => {
    const step = 'RUN pip install poetry && poetry config installer.parallel false && poetry install'
    expect(places(`${files}${step}`)).toEqual(['several-commands'])
  })

  test('must be known: what it brings along lies in the same place', () => {
    const upgraded = `${files}RUN pip install -U pip && pip install poetry\nRUN poetry install --no-root`
    expect(places(upgraded)).toEqual(['unknown-option', 'environment'])
    expect(places(`${files}RUN pip install -U pip && pip install pipenv\nRUN pip install requests`)).toEqual([
      'unknown-option',
      'environment',
    ])
    const apart = `RUN python -m venv /p && /p/bin/pip install -U pip && /p/bin/pip install poetry\n${files}RUN /p/bin/poetry install`
    expect(places(apart)).toEqual(['unknown-option', 'system'])
    const elsewhere = `ENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN pip install -U pip && pip install poetry\nRUN poetry install`
    expect(places(elsewhere)).toEqual(['unknown-option', '/app/.venv after poetry run true'])
  })

  test('has indexes of its own: then its packages and those of the lock don’t meet', () => {
    const steps = `${files}RUN pip install -i https://index.example/simple poetry && poetry install`
    expect(places(steps)).toEqual(['several-commands'])
  })
})

describe('requirements that were exported from a lock', () => {
  const copied = 'WORKDIR /tmp\nCOPY pyproject.toml poetry.lock* Pipfile* pdm.lock ./\n'
  const later =
    'FROM python\nWORKDIR /code\nCOPY --from=0 /tmp/requirements.txt /code/requirements.txt\nRUN pip install --no-cache-dir --upgrade -r /code/requirements.txt'
  const usual = { with: [], without: [], only: undefined, extras: [] }
  const main = { ...usual, only: ['main'] }
  test.each([
    [
      'poetry export -f requirements.txt --output requirements.txt --without-hashes',
      { tool: 'poetry', selection: main, hasHashes: false, lock: 'checked' },
    ],
    [
      'poetry export --format=requirements.txt -o /tmp/requirements.txt --with web -E gpu',
      { selection: { ...main, with: ['web'], only: ['main', 'web'], extras: ['gpu'] }, hasHashes: true },
    ],
    ['poetry export --dev > requirements.txt', { selection: { ...main, with: ['dev'], only: ['main', 'dev'] } }],
    ['pipenv requirements > requirements.txt', { tool: 'pipenv', selection: usual, hasHashes: false, lock: 'frozen' }],
    [
      'pipenv requirements --hash --dev > requirements.txt',
      { selection: { ...usual, with: ['develop'] }, hasHashes: true },
    ],
    [
      'pdm export --prod -o requirements.txt',
      { tool: 'pdm', selection: { ...usual, without: ['dev'] }, hasHashes: true },
    ],
  ])('by %s', (command, project) => {
    const steps = find(`${copied}RUN ${command}\n${later}`)
    expect(steps).toEqual([
      expect.objectContaining({ project: expect.objectContaining({ ...project, bytecode: true }) }),
    ])
    expect(find(`${copied}RUN ${command}\nRUN pip install -r requirements.txt`)).toMatchObject([{ project }])
  })

  test.each([
    'poetry export -o other.txt',
    'poetry export --all-groups -o requirements.txt',
    'poetry export -f constraints.txt -o requirements.txt',
    'poetry export -o requirements.txt; true',
    'poetry export | sed s/a/b/ > requirements.txt',
    'poetry export -o requirements.txt && sed -i s/a/b/ requirements.txt',
    'cd /x && poetry export > requirements.txt',
  ])('but not by %s', (command) => {
    expect(places(`${copied}RUN ${command}\n${later}`).at(-1)).toBe('file-not-found')
  })

  test('and changed later are no more what the lock says', () => {
    const changed = `${copied}RUN poetry export -o requirements.txt\nRUN ./change.sh\n${later}`
    expect(places(changed).at(-1)).toBe('file-not-found')
    const beside = `${copied}RUN poetry export -o requirements.txt\n${later} numpy`
    expect(places(beside).at(-1)).toBe('file-not-found')
  })
})
