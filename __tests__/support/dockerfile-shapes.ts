/** A Dockerfile as people write it, what lies beside it, and what becomes of its install steps. */
export interface DockerfileShape {
  readonly dockerfile: string
  readonly files?: Readonly<Record<string, string>>
  /** A project that gets a uv.lock, or comes with the lock of another tool. */
  readonly lock?: 'uv' | 'poetry' | 'poetry-package' | 'pipenv' | 'pylock'
  /** Inputs of the build with layers. */
  readonly inputs?: Readonly<Record<string, string>>
  /** Of each step with an install, by line: `rewritten`, or the code of what keeps it; `moved` and `on-top` of others. */
  readonly steps: readonly string[]
  /** Layers of dependencies in the final image; all else is seen by the comparison. */
  readonly layers: boolean
}

const LIGHT = 'six==1.17.0\nidna==3.11\n'
/** A console script comes with it. */
const SCRIPT = 'pygments==2.19.2\n'
const FROM = 'FROM python:3.11-slim\n'
const UV = `${FROM}COPY --from=installer /usr/local/bin/uv /usr/local/bin/uv\n`
const main = { 'src/main.py': 'import six\nprint(six.__version__)\n' }

const PROJECT = `[project]
name = "service"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["six==1.17.0", "pygments==2.19.2"]
[dependency-groups]
dev = ["idna==3.11"]
[project.optional-dependencies]
web = ["certifi==2025.11.12"]
`
const PACKAGE = `${PROJECT}[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n`
const SETUP = `[project]
name = "own"
version = "1.0"
dependencies = ["numpy==2.4.0", "six==1.17.0"]
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
py-modules = ["own"]
`

/** Every shape is built as it is written and by the product, and the two images are compared file by file. */
export const SHAPES: Readonly<Record<string, DockerfileShape>> = {
  'pip with a requirements file': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY src/ ./src/\nCMD ["python", "src/main.py"]\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'python -m pip with packages in the command': {
    dockerfile: `${FROM}RUN python -m pip install 'six==1.17.0' pygments==2.19.2\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'uv pip into the system': {
    dockerfile: `${UV}WORKDIR /app\nCOPY requirements.txt .\nRUN uv pip install --system -r requirements.txt\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'uv pip with bytecode and a project beside it': {
    dockerfile: `${UV}ENV UV_SYSTEM_PYTHON=1 UV_COMPILE_BYTECODE=1\nWORKDIR /app\nCOPY . .\nRUN uv pip install -r pyproject.toml\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'apt and pip in one step': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN mkdir -p /data && useradd -r worker \\\n && pip install --no-cache-dir -r requirements.txt \\\n && rm -rf /root/.cache/pip /tmp/*\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'two installs in one step': {
    dockerfile: `${FROM}COPY requirements.txt /\nRUN pip install --no-cache-dir pygments==2.19.2 && pip install --no-cache-dir -r /requirements.txt\n`,
    files: { 'requirements.txt': LIGHT },
    steps: ['rewritten'],
    layers: true,
  },
  'set -e and semicolons': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN set -eux; mkdir /state; cd /app; pip install -r requirements.txt; pip cache purge\n`,
    files: { 'requirements.txt': LIGHT },
    steps: ['rewritten'],
    layers: true,
  },
  'semicolons without set -e': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt; mkdir /state\n`,
    files: { 'requirements.txt': LIGHT },
    steps: ['several-commands'],
    layers: false,
  },
  'installs on conditions that build arguments decide': {
    dockerfile: `${FROM}ARG WEB=yes\nARG DEV\nWORKDIR /app\nCOPY requirements.txt .\nRUN if [ "$WEB" = "yes" ]; then pip install --no-cache-dir -r requirements.txt && mkdir /state; fi\nRUN if [ "$DEV" = "yes" ]; then pip install --no-cache-dir certifi==2025.11.12; fi\nRUN set -e; if [ -z "$DEV" ]; then mkdir /none; else pip install idna==3.10; fi; pip install --no-cache-dir pygments==2.19.2\n`,
    files: { 'requirements.txt': LIGHT },
    steps: ['rewritten', 'on-top', 'rewritten'],
    layers: true,
  },
  'a script in a heredoc': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN <<EOF\nset -e\nmkdir /state\npip install --no-cache-dir -r requirements.txt\nEOF\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'cache mounts and a bind mount': {
    dockerfile: `${FROM}RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt \\\n  pip install -r /tmp/requirements.txt\nCOPY src/ /app/src/\n`,
    files: { 'requirements.txt': LIGHT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'requirements with -r, -c, markers, extras and hashes': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY deps/ deps/\nRUN pip install --no-cache-dir -r deps/dev.txt\n`,
    files: {
      'deps/dev.txt': '-r base.txt\n-c limits.txt\npygments # colours\ncolorama==0.4.6 ; sys_platform == "win32"',
      'deps/base.txt': 'six \\\n  ==1.17.0\nidna\n',
      'deps/limits.txt': 'idna==3.11\npygments==2.19.2\n',
    },
    steps: ['rewritten'],
    layers: true,
  },
  'an environment made beforehand': {
    dockerfile: `${FROM}RUN python -m venv /opt/venv\nENV PATH="/opt/venv/bin:$PATH"\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY src/ /app/src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'an environment by its variable, made with python3': {
    dockerfile: `${FROM}ENV VIRTUAL_ENV=/opt/venv\nRUN python3 -m venv $VIRTUAL_ENV\nENV PATH="$VIRTUAL_ENV/bin:$PATH"\nRUN pip install pygments==2.19.2\nCOPY src/ /app/src/\n`,
    files: main,
    steps: ['rewritten'],
    layers: true,
  },
  'an environment that is called by its path': {
    dockerfile: `${FROM}RUN python -m venv /srv/env\nRUN /srv/env/bin/pip install --no-cache-dir pygments==2.19.2\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'an environment that is made and activated in the step': {
    dockerfile: `${FROM}COPY requirements.txt /\nRUN python -m venv /opt/venv && . /opt/venv/bin/activate && pip install --no-cache-dir -r /requirements.txt\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT },
    steps: ['rewritten'],
    layers: true,
  },
  'a builder stage whose environment is copied': {
    dockerfile: `FROM python:3.11-slim AS builder\nRUN python -m venv /opt/venv\nENV PATH="/opt/venv/bin:$PATH"\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n\n${FROM}COPY --from=builder /opt/venv /opt/venv\nENV PATH="/opt/venv/bin:$PATH"\nWORKDIR /app\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'a prefix that is copied over the system’s Python': {
    dockerfile: `FROM python:3.11-slim AS builder\nCOPY requirements.txt .\nRUN pip install --no-cache-dir --prefix=/install -r requirements.txt\n${FROM}COPY --from=builder /install /usr/local\nCOPY src/ /app/src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'packages of the user that are copied': {
    dockerfile: `FROM python:3.11-slim AS builder\nRUN pip install --no-cache-dir --user pygments==2.19.2\n${FROM}COPY --from=builder /root/.local /root/.local\nENV PATH=/root/.local/bin:$PATH\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'a flat folder of packages': {
    dockerfile: `${FROM}WORKDIR /var/task\nRUN pip install --no-cache-dir --target /deps six==1.17.0 idna==3.11\nENV PYTHONPATH=/deps\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync in two steps, as its guide has it': {
    dockerfile: `${UV}ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy\nWORKDIR /app\nRUN --mount=type=cache,target=/root/.cache/uv \\\n    --mount=type=bind,source=uv.lock,target=uv.lock \\\n    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n    uv sync --locked --no-install-project --no-dev\nCOPY . /app\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-dev\nENV PATH="/app/.venv/bin:$PATH"\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'uv sync with groups and extras in one step': {
    dockerfile: `${UV}WORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --extra web --no-cache\nCOPY src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync of a project that is a package': {
    dockerfile: `${UV}WORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-install-project --no-cache\nCOPY src/ ./src/\nRUN uv sync --frozen --no-cache --no-editable\n`,
    files: { 'pyproject.toml': PACKAGE, ...main },
    lock: 'uv',
    steps: ['rewritten', 'not-only-wheels'],
    layers: true,
  },
  'uv sync into an environment elsewhere, copied': {
    dockerfile: `FROM python:3.11-slim AS build\nCOPY --from=installer /usr/local/bin/uv /usr/local/bin/uv\nENV UV_PROJECT_ENVIRONMENT=/opt/env\nWORKDIR /src\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-dev\n${FROM}COPY --from=build /opt/env /opt/env\nENV PATH=/opt/env/bin:$PATH\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync into the system’s Python': {
    dockerfile: `${UV}ENV UV_PROJECT_ENVIRONMENT=/usr/local UV_PYTHON_PREFERENCE=only-system UV_COMPILE_BYTECODE=1\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked --no-dev\nCOPY src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync into the active environment': {
    dockerfile: `${UV}ENV VIRTUAL_ENV=/opt/env\nRUN uv venv --python 3.11 $VIRTUAL_ENV\nENV PATH="$VIRTUAL_ENV/bin:$PATH"\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --active --inexact --python-preference only-system\nCOPY src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync into an environment with pip in it': {
    dockerfile: `${UV}WORKDIR /app\nRUN python -m venv .venv\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\nCOPY src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync that takes out what was there': {
    dockerfile: `${UV}ENV UV_PROJECT_ENVIRONMENT=/usr/local\nWORKDIR /app\nRUN pip install certifi==2025.11.12\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten', 'environment'],
    layers: true,
  },
  'poetry beside the packages that it installs, one of which it needs in another version': {
    dockerfile: `${FROM}ENV POETRY_VIRTUALENVS_CREATE=false\nRUN pip install --no-cache-dir poetry==2.5.1\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN poetry install --no-interaction --no-ansi --only main -E color\nCOPY src/ ./src/\n`,
    files: main,
    lock: 'poetry',
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'poetry with its settings and its packages in one step': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN pip install --no-cache-dir poetry==2.5.1 && poetry config virtualenvs.create false && poetry install --only main\nCOPY src/ ./src/\n`,
    files: main,
    lock: 'poetry',
    steps: ['rewritten'],
    layers: true,
  },
  'requirements that poetry exports in another stage': {
    dockerfile: `${FROM.trim()} AS requirements\nWORKDIR /tmp\nRUN pip install --no-cache-dir poetry==2.5.1 poetry-plugin-export==1.10.1\nCOPY pyproject.toml poetry.lock* /tmp/\nRUN poetry export --output requirements.txt --without-hashes\n${FROM}WORKDIR /code\nCOPY --from=requirements /tmp/requirements.txt /code/requirements.txt\nRUN pip install --no-cache-dir --upgrade -r /code/requirements.txt\nCOPY src/ ./src/\n`,
    files: main,
    lock: 'poetry',
    steps: ['environment', 'rewritten'],
    layers: true,
  },
  'poetry in an environment of its own, packages in another one that is copied': {
    dockerfile: `FROM python:3.11-slim AS builder\nRUN python -m venv /opt/poetry && /opt/poetry/bin/pip install --no-cache-dir poetry==2.5.1\nENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN /opt/poetry/bin/poetry install --without dev --all-extras --no-root && rm -rf /root/.cache/pypoetry\n${FROM}COPY --from=builder /app/.venv /app/.venv\nENV PATH=/app/.venv/bin:$PATH\nCOPY src/ /app/src/\n`,
    files: main,
    lock: 'poetry',
    steps: ['unknown-option', 'rewritten'],
    layers: true,
  },
  'poetry in two steps, the project last': {
    dockerfile: `${FROM}RUN python -m venv /opt/poetry && /opt/poetry/bin/pip install --no-cache-dir poetry==2.5.1\nRUN /opt/poetry/bin/poetry config virtualenvs.create false\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nRUN /opt/poetry/bin/poetry install --no-root\nCOPY service/ ./service/\nRUN /opt/poetry/bin/poetry install\n`,
    files: { 'service/__init__.py': '' },
    lock: 'poetry-package',
    steps: ['unknown-option', 'rewritten', 'not-only-wheels'],
    layers: true,
  },
  'poetry with the project in the same step, into an environment that it makes': {
    dockerfile: `${FROM}RUN python -m venv /opt/poetry && /opt/poetry/bin/pip install --no-cache-dir poetry==2.5.1\nENV POETRY_VIRTUALENVS_IN_PROJECT=1\nWORKDIR /app\nCOPY pyproject.toml poetry.lock ./\nCOPY service/ ./service/\nRUN /opt/poetry/bin/poetry install --with heavy\n`,
    files: { 'service/__init__.py': '' },
    lock: 'poetry-package',
    steps: ['unknown-option', 'not-only-wheels'],
    layers: true,
  },
  'pip as another user, into that user’s home': {
    dockerfile: `${FROM}RUN useradd --create-home app\nUSER app\nWORKDIR /home/app/src\nCOPY --chown=app requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY --chown=app src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'pip with --user and scripts, the user in another group': {
    dockerfile: `${FROM}RUN groupadd -g 2000 staffers && useradd -mu 1500 -g staffers -s /bin/bash app && chmod 700 /home/app\nUSER app\nENV PATH=/home/app/.local/bin:$PATH\nRUN mkdir -p /home/app/.local && chmod 750 /home/app/.local\nRUN pip install --user --no-cache-dir pygments==2.19.2\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'a user by its number, whose group the list of users has': {
    dockerfile: `${FROM}RUN groupadd --gid 2000 all && useradd --uid=1234 --gid=2000 -m -d /data/home app\nUSER 1234\nRUN python -m pip install --no-cache-dir six==1.17.0 pygments==2.19.2 && mkdir /data/home/state\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'numbers that no list of users has, and a home elsewhere': {
    dockerfile: `${FROM}ENV HOME=/data/home\nUSER 5000:6000\nWORKDIR /data/home\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nUSER root\nRUN mkdir /state\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT },
    steps: ['rewritten', 'on-top'],
    layers: true,
  },
  'uv sync by a user in a folder that root has given away': {
    dockerfile: `${UV}RUN adduser --disabled-password --gecos "" app\nWORKDIR /app\nRUN chown app:app /app\nUSER app\nCOPY --chown=app:app pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-dev\nENV PATH=/app/.venv/bin:$PATH\nCOPY --chown=app:app src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync by a user in two steps, the project last': {
    dockerfile: `${UV}RUN useradd -m -u 1001 app\nUSER app\nWORKDIR /app\nRUN --mount=type=cache,target=/home/app/.cache/uv,uid=1001 --mount=type=bind,source=uv.lock,target=uv.lock --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync --locked --no-install-project\nCOPY --chown=app . .\nRUN --mount=type=cache,target=/home/app/.cache/uv,uid=1001 uv sync --locked\n`,
    files: { 'pyproject.toml': PACKAGE, ...main },
    lock: 'uv',
    steps: ['rewritten', 'not-only-wheels'],
    layers: true,
  },
  'an environment of a user, made by that user': {
    dockerfile: `${FROM}RUN useradd -m app\nUSER app\nENV VIRTUAL_ENV=/home/app/env\nRUN python -m venv $VIRTUAL_ENV\nENV PATH="$VIRTUAL_ENV/bin:$PATH"\nRUN pip install --no-cache-dir pygments==2.19.2\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'an environment that root has made and given to a user': {
    dockerfile: `${FROM}RUN useradd -m app && python -m venv /opt/env && chown -R app:app /opt/env\nENV PATH=/opt/env/bin:$PATH\nUSER app:app\nRUN pip install --no-cache-dir pygments==2.19.2 six==1.17.0\nWORKDIR /srv/app\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'root and a user in turns': {
    dockerfile: `${FROM}RUN useradd -m app\nUSER app\nRUN pip install --no-cache-dir pygments==2.19.2 idna==3.10 && mkdir /home/app/state\nUSER root\nRUN pip install --no-cache-dir six==1.17.0 idna==3.11\n`,
    steps: ['rewritten', 'environment'],
    layers: true,
  },
  'only what is named, and then what it needs': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir --no-deps jinja2==3.1.6 six==1.17.0\nRUN pip install --no-cache-dir markupsafe==3.0.3\n`,
    steps: ['rewritten', 'environment'],
    layers: true,
  },
  'a lock that pip and uv both read': {
    dockerfile: `${UV}WORKDIR /app\nCOPY pylock.toml .\nRUN uv pip install --system -r pylock.toml\nCOPY src/ ./src/\n`,
    files: main,
    lock: 'pylock',
    steps: ['rewritten'],
    layers: true,
  },
  'pipenv into the system': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir pipenv==2026.10.3\nWORKDIR /app\nCOPY Pipfile Pipfile.lock ./\nRUN pipenv install --system --deploy\nCOPY src/ ./src/\n`,
    files: main,
    lock: 'pipenv',
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'a project that is installed from its folder': {
    dockerfile: `${FROM}WORKDIR /src\nCOPY . .\nRUN pip install --no-cache-dir --no-build-isolation .\n`,
    files: { 'pyproject.toml': SETUP, 'own.py': 'x = 1\n' },
    steps: ['unknown-option'],
    layers: false,
  },
  'wheels before a project that is built': {
    dockerfile: `${FROM}WORKDIR /src\nCOPY . .\nRUN pip install --no-cache-dir .\n`,
    files: { 'pyproject.toml': SETUP, 'own.py': 'x = 1\n' },
    steps: ['not-only-wheels'],
    layers: true,
  },
  'an install with a program of the user’s behind it': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir numpy==2.4.0 && python -c "import numpy; open('/version', 'w').write(numpy.__version__)"\n`,
    steps: ['several-commands'],
    layers: true,
  },
  'pip upgraded in the step': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir --upgrade pip==25.3 && pip install --no-cache-dir six==1.17.0\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'a version that a later step pins': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir python-dateutil==2.9.0.post0\nRUN pip install --no-cache-dir six==1.16.0\n`,
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'an upgrade of what an earlier step pins': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir idna==3.4 six==1.16.0\nRUN pip install --no-cache-dir --upgrade idna\n`,
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'constraints for one of two installs': {
    dockerfile: `${FROM}COPY limits.txt /limits/\nRUN pip install --no-cache-dir -c /limits/limits.txt idna\nRUN pip install --no-cache-dir 'six<1.17'\n`,
    files: { 'limits.txt': 'idna==3.10\nsix==1.15.0\n' },
    steps: ['rewritten', 'rewritten'],
    layers: true,
  },
  'a list of the packages between two installs': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir six==1.17.0\nRUN pip freeze >/list\nRUN pip install --no-cache-dir idna==3.11\n`,
    steps: ['rewritten', 'on-top', 'environment'],
    layers: true,
  },
  'settings of pip in a folder that is copied': {
    dockerfile: `${FROM}COPY root/ /root/\nRUN pip install --no-cache-dir six==1.17.0\n`,
    files: { 'root/.config/pip/pip.conf': '[install]\ncompile = false\n' },
    steps: ['environment'],
    layers: false,
  },
  'a cache folder with files of the user’s': {
    dockerfile: `${FROM}COPY src/ /root/.cache/own/\nRUN pip install --no-cache-dir six==1.17.0 && rm -rf /root/.cache\n`,
    files: main,
    steps: ['rewritten'],
    layers: true,
  },
  'packages that bring the same files': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir jwt==1.3.1\nRUN pip install --no-cache-dir PyJWT==2.9.0\n`,
    steps: ['environment', 'environment'],
    layers: false,
  },
  'a wheel with an empty folder': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir yarl==1.9.11\n`,
    steps: ['rewritten'],
    layers: true,
  },
  'copies into folders of another user': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir six==1.17.0\nCOPY --chown=1000:1000 src/ /app/src/\nCOPY src/main.py /app/\nCOPY src/main.py /app/src/start.py\n`,
    files: main,
    steps: ['rewritten'],
    layers: true,
  },
  'two installs into a folder, which don’t see each other': {
    dockerfile: `${FROM}RUN pip install --no-cache-dir --target /deps python-dateutil==2.9.0.post0 six==1.17.0\nRUN pip install --no-cache-dir --target /deps idna==3.11\n`,
    steps: ['rewritten', 'environment'],
    layers: true,
  },
  'requirements that are deleted in the step': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt && rm requirements.txt\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT.trimEnd(), ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'requirements that are changed before the install': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN sed -i /numpy/d requirements.txt && pip install --no-cache-dir -r requirements.txt\n`,
    files: { 'requirements.txt': `numpy==2.4.0\n${LIGHT}` },
    steps: ['several-commands'],
    layers: false,
  },
  'an unquoted version, which the shell redirects': {
    dockerfile: `${FROM}RUN pip install six>=1.16\n`,
    steps: ['shell-syntax'],
    layers: false,
  },
  'switched off, and trusted': {
    dockerfile: `${FROM}ENV PIP_FOO=1\n# image-cache: layers\nRUN pip install idna==3.11\n# image-cache: off\nRUN pip install six==1.17.0\n`,
    steps: ['rewritten', 'switched-off'],
    layers: true,
  },
  'an app in /usr/src/app': {
    dockerfile: `${FROM}WORKDIR /usr/src/app\nCOPY requirements.txt ./\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY . .\nCMD ["python", "./src/main.py"]\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'uv sync in /usr/src/app': {
    dockerfile: `${UV}WORKDIR /usr/src/app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-dev\nCOPY src/ ./src/\n`,
    files: { 'pyproject.toml': PROJECT, ...main },
    lock: 'uv',
    steps: ['rewritten'],
    layers: true,
  },
  'a base image whose files alone tell its Python': {
    dockerfile: `FROM plain\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    steps: ['rewritten'],
    layers: true,
  },
  'copies alone, linked, with folders of WORKDIR': {
    dockerfile: `FROM python:3.11-slim AS made\nRUN mkdir -p /out/dist && echo 1 >/out/dist/one\n\n${FROM}WORKDIR /app\nCOPY --from=made /out/dist ./dist/\nCOPY --chown=1000:1000 src/ /srv/own/\nCOPY src/main.py ./\nENV A=1\nCMD ["python", "main.py"]\n`,
    files: main,
    inputs: { 'link-copies': 'all' },
    steps: [],
    layers: false,
  },
  'steps that don’t need the packages, built before them': {
    dockerfile: `${FROM}WORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nENV HOME=/home/app\nRUN groupadd -g 1234 app && useradd -r -m -u 1234 -g app app\nCOPY src/ ./src/\nRUN set -eux; mkdir -p /data/logs; chown -R app:app /data /app/src\nUSER app\nRUN mkdir /data/own\nCMD ["python", "src/main.py"]\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    inputs: { reorder: 'safe' },
    steps: ['rewritten', 'moved', 'moved', 'moved'],
    layers: true,
  },
  'steps before the layers of an environment that is copied': {
    dockerfile: `FROM python:3.11-slim AS builder\nRUN python -m venv /opt/venv\nENV PATH="/opt/venv/bin:$PATH"\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n\n${FROM}COPY --from=builder /opt/venv /opt/venv\nENV PATH="/opt/venv/bin:$PATH"\nRUN useradd -m app && ldconfig && mkdir -p /srv/own\nWORKDIR /app\nCOPY src/ ./src/\n`,
    files: { 'requirements.txt': LIGHT + SCRIPT, ...main },
    inputs: { reorder: 'safe' },
    steps: ['rewritten', 'moved'],
    layers: true,
  },
  'steps before the layers, and one on top of them': {
    dockerfile: `${UV}WORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-dev\nRUN useradd -m app\nRUN .venv/bin/python -c "import six; open('/version', 'w').write(six.__version__)"\nRUN mkdir /data\n`,
    files: { 'pyproject.toml': PROJECT },
    lock: 'uv',
    inputs: { reorder: 'safe' },
    steps: ['rewritten', 'moved', 'on-top', 'on-top'],
    layers: true,
  },
  'a user whose home nothing tells': {
    dockerfile: `${FROM}RUN useradd -m app && usermod -d /home/new -m app\nUSER app\nRUN pip install --user six==1.17.0\n`,
    steps: ['not-root'],
    layers: false,
  },
}
