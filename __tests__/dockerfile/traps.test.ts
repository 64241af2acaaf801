import { expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const contextFiles = ['requirements.txt', 'constraints.txt', 'conf/dev.txt', 'app/main.py', 'pyproject.toml', 'uv.lock']
const view: BuildView = { baseImage: () => python, contextFiles }
const COPIED = 'WORKDIR /app\nCOPY requirements.txt constraints.txt ./\n'

/** Of each install: `layers`, `layers before it`, or the code of what keeps it, with what else its step does. */
function answers(steps: string): readonly string[] {
  return findInstalls(parseDockerfile(`FROM python\n${steps}\n`, 'Dockerfile'), view).map((found) => {
    if (!isInstallStep(found)) return found.code
    if (found.stays !== undefined || found.locals.length > 0) return 'layers before it'
    return found.remainder === undefined ? 'layers' : `layers, and ${found.remainder}`
  })
}

/** Seen in real files, where a rewrite by the eye goes wrong. */
const TRAPS: readonly (readonly [name: string, steps: string, answers: readonly string[]])[] = [
  ['a version without quotes is a redirection', 'RUN pip install tensorflow>=2.16.1', ['shell-syntax']],
  ['the same in quotes is a version', 'RUN pip install "tensorflow>=2.16.1"', ['layers']],
  ['a comment swallows what is appended', 'RUN pip install a # later: b', ['shell-syntax']],
  [
    'a compiler is installed and purged around the install',
    'RUN apt-get update && apt-get install -y gcc && pip install a && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*',
    ['layers, and apt-get update && apt-get install -y gcc && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*'],
  ],
  [
    'the requirements are deleted behind the install',
    `${COPIED}RUN pip install -r requirements.txt && rm requirements.txt`,
    ['layers, and rm requirements.txt'],
  ],
  [
    'the requirements are changed before it',
    `${COPIED}RUN sed -i /torch/d requirements.txt && pip install -r requirements.txt`,
    ['several-commands'],
  ],
  [
    'more is written to them before it',
    `${COPIED}RUN cat extra.txt >> requirements.txt && pip install -r requirements.txt`,
    ['several-commands'],
  ],
  [
    'other files take their place',
    `${COPIED}RUN mv other.txt requirements.txt && pip install -r requirements.txt`,
    ['several-commands'],
  ],
  ['a script may do so', `${COPIED}RUN ./prepare.sh && pip install -r requirements.txt`, ['several-commands']],
  [
    'they are changed behind it',
    `${COPIED}RUN pip install -r requirements.txt && sed -i s/a/b/ requirements.txt`,
    ['layers before it'],
  ],
  [
    'they were changed by a step above',
    `${COPIED}RUN sed -i /torch/d requirements.txt\nRUN pip install -r requirements.txt`,
    ['file-not-found'],
  ],
  [
    'a file elsewhere is changed before it',
    `${COPIED}RUN sed -i s/a/b/ /etc/apt/sources.list && pip install -r requirements.txt`,
    ['layers before it'],
  ],
  [
    'they come with a repository',
    'RUN git clone https://x.example/a /src && pip install -r /src/requirements.txt',
    ['file-not-found'],
  ],
  [
    'pip is configured before it',
    'RUN pip config set global.index-url https://x.example && pip install a',
    ['several-commands'],
  ],
  ['a failure is passed over', 'RUN pip install a; mkdir /b', ['several-commands']],
  ['a script passes over failures', 'RUN <<EOF\npip install a\nmkdir /b\nEOF', ['several-commands']],
  ['one or the other is run', 'RUN pip install a || pip install b', ['several-commands']],
  ['the step goes on with a module', 'RUN pip install nltk && python -m nltk.downloader x', ['layers before it']],
  ['the step goes on with a program', 'RUN pip install playwright && playwright install', ['layers before it']],
  ['a later step needs it', 'RUN pip install nltk\nRUN python -m nltk.downloader x', ['layers']],
  [
    'a constraint is in a file of its own',
    `${COPIED}RUN pip install -c constraints.txt -r requirements.txt`,
    ['layers'],
  ],
  ['a build argument is the version', 'ARG V=1.0\nRUN pip install a==$V', ['layers']],
  ['a build argument has no value', 'ARG V\nRUN pip install a==$V', ['shell-syntax']],
  ['a cache is mounted', 'RUN --mount=type=cache,target=/root/.cache/pip pip install a', ['layers']],
  ['nothing of a mount stays', 'RUN --mount=type=tmpfs,target=/scratch pip install a', ['layers']],
  ['the packages go into a cache', 'RUN --mount=type=cache,target=/deps/cache pip install --target /deps a', ['mount']],
  ['the packages go into the mounted context', 'WORKDIR /app\nRUN --mount=type=bind,target=/app,rw uv sync', ['mount']],
  ['a secret is mounted', 'RUN --mount=type=secret,id=x pip install a', ['mount']],
  ['another user installs', 'USER app\nRUN pip install a', ['not-root']],
  ['users’ packages lie elsewhere', 'ENV PYTHONUSERBASE=/u\nRUN pip install --user a', ['environment']],
  ['bash runs a script first', 'ENV BASH_ENV=/env.sh\nSHELL ["/bin/bash", "-c"]\nRUN pip install a', ['environment']],
  ['conda installs above', 'RUN conda install -y x\nRUN pip install a', ['environment']],
  ['conda installs in the step', 'RUN conda install -y x && pip install a', ['several-commands']],
  ['micromamba installs above', 'RUN micromamba install -y x\nRUN pip install a', ['environment']],
  [
    'uv sync comes in two steps',
    'WORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --no-install-project\nCOPY app app\nRUN uv sync',
    ['layers', 'layers'],
  ],
  [
    'uv sync takes out what was there',
    'ENV UV_PROJECT_ENVIRONMENT=/usr/local\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN pip install a\nRUN uv sync',
    ['layers', 'layers before it'],
  ],
  [
    'poetry leaves its project out',
    'RUN poetry install --no-root\nRUN pip install a',
    ['virtual-environment', 'environment'],
  ],
]

test.each(TRAPS)('%s', (_, steps, expected) => {
  expect(answers(steps)).toEqual(expected)
})
