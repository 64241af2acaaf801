import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const contextFiles = ['requirements.txt', 'dev/requirements.txt', 'constraints.txt', 'app/main.py', 'pyproject.toml']

function find(text: string, view: Partial<BuildView> = {}): ReturnType<typeof findInstalls> {
  const options: BuildView = { baseImage: () => python, contextFiles, ...view }
  return findInstalls(parseDockerfile(text, 'Dockerfile'), options)
}

/** `pip`-steps as `ok`, refusals as their codes. */
function answers(text: string, view: Partial<BuildView> = {}): readonly string[] {
  return find(text, view).map((found) => (isInstallStep(found) ? 'ok' : found.code))
}

describe('an install step', () => {
  test('carries its lines, files, packages and settings', () => {
    const text = `FROM python:3.12-slim AS base
WORKDIR /srv
FROM base
ARG INDEX=https://index.example/simple
ENV PIP_INDEX_URL=$INDEX PIP_NO_CACHE_DIR=1
COPY requirements.txt ./
COPY constraints.txt dev/ conf/
RUN --mount=type=cache,target=/root/.cache/pip \\
    pip install \\
      # what we need
      -r requirements.txt -c conf/constraints.txt \\
      'numpy<2'
`
    expect(find(text)).toEqual([
      {
        command: "pip install -r requirements.txt -c conf/constraints.txt 'numpy<2'",
        lines: { first: 8, last: 12 },
        stage: 1,
        installer: 'pip',
        requirementFiles: [{ imagePath: '/srv/requirements.txt', contextPath: 'requirements.txt' }],
        constraintFiles: [{ imagePath: '/srv/conf/constraints.txt', contextPath: 'constraints.txt' }],
        packages: ['numpy<2'],
        locals: [],
        project: undefined,
        remainder: undefined,
        stays: undefined,
        target: { kind: 'system', folder: undefined, python: undefined, shipped: [], makesEnvironment: false },
        settings: {
          indexUrl: 'https://index.example/simple',
          extraIndexUrls: [],
          findLinks: [],
          preReleases: false,
        },
        bytecode: true,
        turns: [
          {
            requirementFiles: [{ imagePath: '/srv/requirements.txt', contextPath: 'requirements.txt' }],
            constraintFiles: [{ imagePath: '/srv/conf/constraints.txt', contextPath: 'constraints.txt' }],
            packages: ['numpy<2'],
            locals: [],
            upgrades: false,
          },
        ],
      },
    ])
  })

  test('keeps what each command asks for in its turn', () => {
    const [step] = find('FROM python\nRUN pip install a==1 && pip install -U a b\n')
    expect(step).toMatchObject({
      packages: ['a==1', 'a', 'b'],
      turns: [
        { packages: ['a==1'], upgrades: false },
        { packages: ['a', 'b'], upgrades: true },
      ],
    })
  })

  test('shows no password of an index', () => {
    const [step] = find('FROM python\nRUN pip install -i https://me:word@index.example/simple a\n')
    expect(step).toMatchObject({
      command: 'pip install -i https://***@index.example/simple a',
      settings: { indexUrl: 'https://me:word@index.example/simple' },
    })
  })

  test('may be in the exec form, where nothing is filled in', () => {
    expect(find('FROM python\nRUN ["pip", "install", "a>=1"]\n')).toMatchObject([{ packages: ['a>=1'] }])
    expect(answers('FROM python\nARG V=1\nRUN ["pip", "install", "a==$V"]\n')).toEqual(['ok'])
  })

  test('build arguments fill in versions', () => {
    const text = `FROM python\nARG V=1.0\nRUN pip install a==\${V}\n`
    expect(find(text)).toMatchObject([{ packages: ['a==1.0'] }])
    expect(find(text, { buildArgs: { V: '2.0' } })).toMatchObject([{ packages: ['a==2.0'] }])
  })

  test('uv leaves bytecode only when told', () => {
    expect(find('FROM python\nRUN uv pip install --system a\n')).toMatchObject([{ installer: 'uv', bytecode: false }])
    expect(find('FROM python\nENV UV_SYSTEM_PYTHON=1 UV_COMPILE_BYTECODE=1\nRUN uv pip install a\n')).toMatchObject([
      { bytecode: true },
    ])
  })

  test('a file can be mounted for the step alone', () => {
    const text =
      'FROM python\nWORKDIR /w\nRUN --mount=type=bind,source=dev/requirements.txt,target=r.txt pip install -r r.txt\n'
    expect(find(text)).toMatchObject([
      { requirementFiles: [{ imagePath: '/w/r.txt', contextPath: 'dev/requirements.txt' }] },
    ])
  })

  test('is looked for only in stages that the target needs', () => {
    const text = 'FROM python AS a\nRUN pip install x\nFROM python AS b\nRUN pip install y\n'
    expect(find(text, { target: 'b' })).toMatchObject([{ packages: ['y'], stage: 1 }])
  })
})

describe('files of the context', () => {
  test.each([
    ['settings of pip', 'etc/pip.conf', 'COPY root/ /', ['environment']],
    ['settings of pip in the home folder', '.config/pip/pip.conf', 'COPY root/ /root/', ['environment']],
    ['settings of uv', '.config/uv/uv.toml', 'WORKDIR /root\nCOPY root .', ['environment']],
    ['a password', '.netrc', 'ADD root/ /root/', ['environment']],
    ['settings elsewhere', 'etc/pip.conf', 'COPY root/ /x/', ['ok']],
    ['a package', 'usr/local/lib/python3.12/site-packages/a-1.dist-info/METADATA', 'COPY root/ /', ['environment']],
    ['another pip', 'pip', 'COPY root/ /usr/local/bin/', ['environment']],
    ['other files', 'etc/app.conf', 'COPY root/ /', ['ok']],
  ])('that come with a whole folder are seen: %s', (_, path, copy, expected) => {
    expect(answers(`FROM python\n${copy}\nRUN pip install a\n`, { contextFiles: [`root/${path}`] })).toEqual(expected)
  })
})

describe('folders and links of the context', () => {
  const contextFiles = ['root/usr/local/bin/x', 'root/opt/y', 'deps/requirements.txt']
  const system = 'FROM python\nCOPY root/ /\nRUN pip install a\n'
  const venv = 'FROM python\nCOPY root/ /\nRUN python -m venv /opt/v\nRUN /opt/v/bin/pip install a\n'
  test('folders with the usual mode are those of the layers', () => {
    expect(answers(system, { contextFiles, oddFolders: ['deps', 'root'] })).toEqual(['ok'])
    expect(answers(venv, { contextFiles, oddFolders: ['root'] })).toEqual(['ok'])
  })
  test('folders with another mode would lose it', () => {
    expect(answers(system, { contextFiles, oddFolders: ['root/usr/local'] })).toEqual(['environment'])
    expect(answers(venv, { contextFiles, oddFolders: ['root/opt'] })).toEqual(['environment'])
    expect(answers(system.replace('COPY', 'COPY --chown=7'), { contextFiles })).toEqual(['environment'])
  })
  test('folders that a COPY makes for another user stay that user’s', () => {
    const text = (above: string): string =>
      `FROM python\n${above}COPY --chown=7 deps/requirements.txt /app/x/\nRUN pip install --target /app/lib a\n`
    expect(answers(text(''), { contextFiles })).toEqual(['environment'])
    expect(answers(text('WORKDIR /app\n'), { contextFiles })).toEqual(['ok'])
  })
  test('a link may lead elsewhere in the image', () => {
    const text = 'FROM python\nCOPY deps/ /x/deps/\nRUN pip install -r /x/deps/requirements.txt\n'
    expect(answers(text, { contextFiles })).toEqual(['ok'])
    const contextLinks = new Set(['deps/requirements.txt'])
    expect(answers(text, { contextFiles, contextLinks })).toEqual(['file-not-found'])
  })
})

describe('what stands between two installs', () => {
  const two = (step: string): string => `FROM python\nRUN pip install a\n${step}\nRUN pip install b\n`
  test.each([
    ['a list of what is there', 'RUN pip freeze > /list', 'environment'],
    ['a program that runs Python', 'RUN python -c "import a"', 'environment'],
    ['a copy over the packages', 'COPY app/ /usr/local/', 'environment'],
    ['owners of the packages', 'RUN chown -R 7 /usr/local/lib', 'environment'],
    ['a user', 'RUN useradd -m app && mkdir /data', 'ok'],
    ['packages of the system', 'RUN apt-get update && apt-get install -y git', 'ok'],
    ['the source', 'WORKDIR /\nCOPY app/ /app/', 'ok'],
    ['pip itself', 'RUN pip install -U pip', 'ok'],
    ['an install with a mount', 'RUN --mount=type=bind,source=requirements.txt,target=/r pip install -r /r', 'ok'],
    ['pip itself and a list', 'RUN pip install -U pip && pip freeze > /list', 'environment'],
    ['settings of the image', 'ENV A=1\nLABEL b=c\nEXPOSE 1', 'ok'],
  ])('%s: the second one is %s', (_, step, expected) => {
    const found = answers(two(step)).filter((answer) => answer !== 'unknown-option')
    expect([found.at(0), found.at(-1)]).toEqual(['ok', expected])
  })

  test('does not matter to an install elsewhere', () => {
    const text = 'FROM python\nRUN pip install uv\nRUN uv venv /v\nRUN uv pip install --python /v a\n'
    expect(answers(text)).toEqual(['ok', 'ok'])
  })
})

describe('layers before a step that stays', () => {
  test.each([
    [
      'written settings',
      "printf '[install]\\ntarget = /x' > /etc/pip.conf && pip install a && python -m a",
      'several-commands',
    ],
    ['a variable', 'PIP_TARGET=/x && export PIP_TARGET && pip install a && python -m a', 'several-commands'],
    ['nothing else', 'mkdir /x && pip install a && python -m a', 'ok'],
  ])('are not made behind %s', (_, command, expected) => {
    expect(answers(`FROM python\nRUN ${command}\n`)).toEqual([expected])
  })
})

describe('root’s cache folder', () => {
  const cleared = (above: string): unknown =>
    find(`FROM python\n${above}RUN pip install a && rm -rf /root/.cache\n`).at(-1)

  test('is cleared only in words where installs alone have filled it', () => {
    expect(cleared('RUN apt-get update\n')).toMatchObject({ remainder: undefined })
    expect(cleared('RUN pip install b\n')).toMatchObject({ remainder: undefined })
  })

  test.each([
    ['copied files', 'COPY app/ /root/.cache/app/\n'],
    ['what a program fetched', 'RUN fetch-models\n'],
    ['what a command wrote', 'RUN mkdir -p /root/.cache/x && touch /root/.cache/x/y\n'],
  ])('is cleared of %s', (_, above) => {
    expect(cleared(above)).toMatchObject({ remainder: 'rm -rf /root/.cache' })
  })
})

describe('a step stays when the result might differ', () => {
  const cases: readonly (readonly [sentence: string, steps: string, codes: readonly string[]])[] = [
    ['two installs of one stage', 'RUN pip install a\nRUN apt-get update\nRUN pip install b', ['ok', 'ok']],
    ['two installs in a step', 'RUN pip install a && pip install b', ['ok']],
    ['two installs with different settings', 'RUN pip install a && pip install --pre b', ['several-commands']],
    ['pip first, then the install', 'RUN pip install --upgrade pip && pip install a', ['ok']],
    ['one or the other', 'RUN pip install a || pip install b', ['several-commands']],
    ['in the background', 'RUN pip install a & pip install b', ['several-commands']],
    ['on a condition', 'RUN if [ -n "$X" ]; then pip install a; fi', ['several-commands']],
    ['a pipe', 'RUN cat x | xargs pip install', ['several-commands']],
    ['going on after a failure', 'RUN pip install a; rm -rf /tmp/x', ['several-commands']],
    ['stopping at a failure', 'RUN set -e; pip install a; rm -rf /tmp/x', ['ok']],
    ['a version that the shell redirects', 'RUN pip install tensorflow>=2.16.1', ['shell-syntax']],
    ['a trailing shell comment', 'RUN pip install a # --no-cache-dir', ['shell-syntax']],
    ['a heredoc that goes on', 'RUN <<EOF\npip install a\npip install b\nEOF', ['several-commands']],
    ['a heredoc that stops', 'RUN <<EOF\nset -e\npip install a\npip install b\nEOF', ['ok']],
    ['a heredoc for another program', 'RUN python <<EOF\nset -e\npip install a\nEOF', ['several-commands']],
    ['bash', 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN pip install a', ['ok']],
    [
      'bash with traps for errors',
      'SHELL ["/bin/bash", "-o", "pipefail", "-o", "errexit", "-o", "errtrace", "-c"]\nRUN pip install a',
      ['ok'],
    ],
    ['a login shell, which sets PATH', 'SHELL ["/bin/bash", "-l", "-c"]\nRUN pip install a', ['shell-syntax']],
    ['an environment by a relative path', 'WORKDIR /w\nRUN python -m venv e\nRUN ./e/bin/pip install a', ['ok']],
    [
      'an environment by -mvenv',
      'RUN python -mvenv /e && /e/bin/pip install --upgrade pip\nRUN /e/bin/pip install a',
      ['unknown-option', 'ok'],
    ],
    ['after a script', 'COPY app /s\nRUN sh /s/setup.sh\nRUN pip install a', ['environment']],
    ['after a script that is called by its path', 'RUN ./setup.sh --all\nRUN pip install a', ['environment']],
    ['after make', 'RUN cd /s && make deps\nRUN pip install a', ['environment']],
    ['after a program in Python', 'RUN python setup.py build\nRUN pip install a', ['environment']],
    [
      'after a script that is fetched',
      'RUN curl -fsSL https://x.example/i | bash -s -- -y\nRUN pip install a',
      ['environment'],
    ],
    ['after rustup', 'RUN curl https://sh.rustup.rs -sSf | sh -s -- -y\nRUN pip install a', ['ok']],
    ['after a line of Python', 'RUN python -c "print(1)"\nRUN pip install a', ['ok']],
    ['before a script', 'RUN pip install a\nRUN sh /s/setup.sh', ['ok']],
    ['trusted after a script', 'RUN sh /s/setup.sh\n# image-cache: layers\nRUN pip install a', ['ok']],
    ['uv by its path', 'RUN /root/.local/bin/uv pip install --system a', ['ok']],
    ['a local project with extras', 'COPY . /w\nWORKDIR /w\nRUN pip install -e .[all]', ['ok']],
    ['a pattern of wheels', 'RUN pip install dist/*.whl', ['shell-syntax']],
    ['retries of uv', 'ENV UV_HTTP_RETRIES=5\nRUN uv pip install --system a', ['ok']],
    ['another Python by preference', 'ENV UV_PYTHON_PREFERENCE=x\nRUN uv pip install --system a', ['environment']],
    ['another shell', 'SHELL ["/usr/bin/fish", "-c"]\nRUN pip install a', ['shell-syntax']],
    ['no dependencies', 'RUN pip install --no-deps a', ['ok']],
    ['a Python of the system', 'RUN uv pip install --system --python-preference only-system a', ['ok']],
    ['a Python of uv’s', 'RUN uv pip install --system --python-preference managed a', ['unknown-option']],
    [
      'an environment of the system’s Python',
      'RUN uv venv --python-preference system /v && /v/bin/pip install a',
      ['ok'],
    ],
    ['a user', 'USER app\nRUN pip install a', ['not-root']],
    ['root by number', 'USER app\nUSER 0:0\nRUN pip install a', ['ok']],
    ['a venv by variable', 'ENV VIRTUAL_ENV=/venv\nRUN pip install a', ['virtual-environment']],
    ['a venv on PATH', 'ENV PATH=/opt/venv/bin:$PATH\nRUN pip install a', ['virtual-environment']],
    ['a folder behind the others on PATH', 'ENV PATH="$PATH:/opt/x/bin"\nRUN pip install a', ['ok']],
    ['tools of root on PATH', `ENV PATH="/root/.local/bin:\${PATH}"\nRUN pip install a`, ['ok']],
    ['uv without a venv', 'RUN uv pip install a', ['virtual-environment']],
    ['a target by variable', 'ENV PIP_TARGET=/x\nRUN pip install a', ['environment']],
    ['a target by build argument', 'ARG PIP_TARGET=/x\nRUN pip install a', ['environment']],
    ['a target before the program', 'RUN PIP_TARGET=/x pip install a', ['environment']],
    ['settings of uv for pip', 'ENV UV_INDEX_STRATEGY=x\nRUN pip install a', ['ok']],
    ['Python’s folders moved', 'ENV PYTHONUSERBASE=/x\nRUN pip install a', ['environment']],
    ['a settings file of pip', 'COPY app/pip.conf /etc/pip.conf\nRUN pip install a', ['environment']],
    ['pip told to use another index', 'RUN pip config set global.index-url x\nRUN pip install a', ['environment']],
    ['uv settings in the project', 'WORKDIR /w\nCOPY . .\nRUN uv pip install --system a', ['environment']],
    ['a secret', 'RUN --mount=type=secret,id=x pip install a', ['mount']],
    ['an SSH agent', 'RUN --mount=type=ssh pip install a', ['mount']],
    ['files of another stage', 'RUN --mount=from=x,target=/w pip install a', ['mount']],
    ['no network', 'RUN --network=none pip install a', ['mount']],
    ['a trigger', 'ONBUILD RUN pip install a', ['stage-base']],
    ['a comment', '# image-cache: off\nRUN pip install a', ['switched-off']],
    ['a comment further up', '# image-cache: off\n\nRUN pip install a', ['ok']],
    ['after the project itself', 'COPY . .\nRUN pip install .\nRUN pip install a', ['ok', 'environment']],
    [
      'poetry',
      'RUN pip install poetry\nRUN poetry install --no-root\nRUN pip install a',
      ['ok', 'virtual-environment', 'environment'],
    ],
    [
      'a script for Python from elsewhere',
      'RUN curl https://x.example/i.py | python3 -\nRUN pip install a',
      ['environment'],
    ],
    [
      'a settings file that a script writes',
      'RUN <<EOF\necho x > /etc/pip.conf\nEOF\nRUN pip install a',
      ['environment'],
    ],
    [
      'packages put there by hand',
      'RUN cp -r /s /usr/local/lib/python3.12/site-packages/\nRUN pip install a',
      ['environment'],
    ],
    ['Python’s folders closed', 'RUN chmod 700 /usr/local/lib/python3.12\nRUN pip install a', ['environment']],
    ['Python’s folders given away', 'RUN useradd x && chown -R x /usr/local\nRUN pip install a', ['environment']],
    ['Python’s folders elsewhere', 'RUN mv /usr/local/lib /opt/lib\nRUN pip install a', ['environment']],
    ['another pip', 'RUN ln -sf /bin/true /usr/local/bin/pip\nRUN pip install a', ['environment']],
    ['another Python', 'COPY app/main.py /usr/local/bin/python3\nRUN pip install a', ['environment']],
    ['Python under one more name', 'RUN ln -s /usr/local/bin/python /usr/bin/python\nRUN pip install a', ['ok']],
    ['bytecode of another kind', 'ENV PYTHONOPTIMIZE=2\nRUN pip install a', ['environment']],
    ['a program beside Python', 'RUN mv /x /usr/local/bin/ && chmod +x /usr/local/bin/x\nRUN pip install a', ['ok']],
    ['copies beside Python', 'COPY app/ /usr/local/bin/\nRUN pip install a', ['ok']],
    [
      'copies among the packages',
      'COPY app/ /usr/local/lib/python3.12/site-packages/app/\nRUN pip install a',
      ['environment'],
    ],
    ['an archive over everything', 'ADD app.tar.gz /\nRUN pip install a', ['environment']],
    ['conda', 'RUN conda install -y x\nRUN pip install a', ['environment']],
    ['uv sync without its files', 'WORKDIR /w\nRUN uv sync', ['file-not-found']],
    ['uv sync with an option', 'RUN uv sync --script x.py', ['unknown-option']],
    ['a venv that nobody made', 'RUN /venv/bin/pip install a', ['virtual-environment']],
    ['a venv of another kind', 'RUN python -m venv --copies /v\nRUN /v/bin/pip install a', ['virtual-environment']],
    ['a venv', 'RUN python -m venv /v\nRUN /v/bin/pip install a', ['ok']],
    ['a venv by a variable', 'ENV E=/opt/v\nRUN python3 -m venv $E\nRUN $E/bin/pip install a', ['ok']],
    [
      'a venv that was changed',
      'RUN python -m venv /v\nRUN chmod -R 700 /v\nRUN /v/bin/pip install a',
      ['environment'],
    ],
    ['a venv with files in it', 'RUN python -m venv /v\nCOPY app /v/\nRUN /v/bin/pip install a', ['environment']],
    [
      'a venv in a folder of its own',
      'RUN mkdir /srv/x && chown 7 /srv/x\nRUN python -m venv /srv/x/v\nRUN /srv/x/v/bin/pip install a',
      ['environment'],
    ],
    ['a prefix that exists', 'COPY app /install/\nRUN pip install --prefix /install a', ['environment']],
    ['a folder of the system', 'RUN pip install --target /var/task a', ['virtual-environment']],
    ['a missing file', 'RUN pip install -r requirements.txt', ['file-not-found']],
    ['another Python', 'RUN pip3.11 install a', ['python-unknown']],
    ['the same Python', 'RUN pip3.12 install a', ['ok']],
    ['pip itself, on its own', 'RUN pip install --upgrade pip setuptools\nRUN pip install a', ['unknown-option', 'ok']],
    ['after an install that stays', 'RUN pip install -e .\nRUN pip install a', ['ok', 'environment']],
    [
      'trusted after another',
      'RUN poetry install\n# image-cache: layers\nRUN pip install a',
      ['virtual-environment', 'ok'],
    ],
    ['after another installer', 'RUN poetry install\nRUN pip install a', ['virtual-environment', 'environment']],
    ['before another installer', 'RUN pip install a\nRUN poetry install', ['ok', 'virtual-environment']],
    ['after files in Python’s folders', 'COPY --from=x /usr/local /usr/local\nRUN pip install a', ['environment']],
    ['after a copied tool', 'COPY --from=x /uv /usr/local/bin/\nRUN pip install a', ['ok']],
    ['on Alpine, by its package manager', 'RUN apk add --no-cache gcc\nRUN pip install a', ['platform']],
    ['no install at all', 'RUN apt-get install -y curl\nRUN uv --version', []],
  ]
  test.each(cases)('%s', (_, steps, codes) => {
    expect(answers(`FROM python\n${steps}\n`)).toEqual(codes)
  })

  test('when the stage below installs packages too', () => {
    const text = 'FROM python AS base\nRUN pip install a\nFROM base\nRUN pip install b\n'
    expect(answers(text)).toEqual(['ok', 'stage-base'])
  })

  test('when the base image has triggers, a user or a venv of its own', () => {
    const text = 'FROM python\nRUN pip install a\n'
    expect(answers(text, { baseImage: () => ({ ...python, onBuild: ['RUN x'] }) })).toEqual(['stage-base'])
    expect(answers(text, { baseImage: () => ({ ...python, user: 'app' }) })).toEqual(['not-root'])
    expect(answers(text, { baseImage: () => ({ env: { VIRTUAL_ENV: '/v' } }) })).toEqual(['virtual-environment'])
    expect(answers(text, { baseImage: () => ({ ...python, shell: ['/bin/zsh', '-c'] }) })).toEqual(['shell-syntax'])
  })

  test('when the base is an Alpine that does not tell its release', () => {
    const text = 'ARG V=3.12-alpine\nFROM python:$V AS base\nRUN apk add --no-cache gcc\nFROM base\nRUN pip install a\n'
    expect(answers(text)).toEqual(['platform'])
    expect(answers(text, { baseImage: () => ({ ...python, libc: 'musl' }) })).toEqual(['ok'])
  })

  test('when the file asks for a frontend that knows no heredocs', () => {
    const steps = 'FROM python\nRUN pip install a\nRUN pip install b\n'
    expect(find(`# syntax=docker/dockerfile:1.2\n${steps}`)).toMatchObject([{ code: 'old-syntax', line: 1 }])
    expect(answers(`# syntax=registry.example/own\n${steps}`)).toEqual(['old-syntax'])
    for (const version of ['1', '1.4', '1.7-labs', '1.10.0', 'latest', 'labs']) {
      expect(answers(`# syntax=docker/dockerfile:${version}\n${steps}`)).toEqual(['ok', 'ok'])
    }
  })

  test('refusals carry the line of the step and a sentence', () => {
    expect(find('FROM python\n\nRUN a \\\n  || pip install b\n')).toEqual([
      {
        code: 'several-commands',
        line: 3,
        sentence: 'the step runs several commands (||); give the install a RUN of its own',
      },
    ])
  })

  test('a backtick may be the escape character', () => {
    expect(answers('# escape=`\nFROM python\nRUN pip install `\n  a\n')).toEqual(['ok'])
  })
})
