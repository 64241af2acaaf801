import { describe, expect, test } from '@jest/globals'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { passedSteps } from '../../src/dockerfile/passed-steps.ts'
import { resolveStages } from '../../src/dockerfile/stage-graph.ts'

const view: BuildView = {
  baseImage: () => ({ env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }),
  contextFiles: ['app/main.py', 'requirements.txt', 'usr/local/lib/x.py'],
}
const SYSTEM = ['FROM python', 'RUN pip install a']
const VENV = ['FROM python', 'RUN python -m venv /opt/venv', 'RUN /opt/venv/bin/pip install a']

/** Lines that the layers of the file's installs may come behind. */
function passed(prefix: string, lines: readonly string[]): readonly number[] {
  const dockerfile = parseDockerfile(`${lines.join('\n')}\n`, 'Dockerfile')
  const steps = findInstalls(dockerfile, view).filter(isInstallStep)
  const line = steps[0]?.lines.first ?? 0
  const found = passedSteps({ stage: 0, line, prefix, steps }, resolveStages(dockerfile, view), view)
  return found.map(({ instruction }) => instruction.lines.first)
}

describe('a RUN below an install of the system is built before its layers when it', () => {
  test.each([
    ['makes users and groups', 'groupadd -r app && useradd -r -m -g app -s /bin/bash app'],
    ['makes folders of its own and gives them away', 'mkdir -p /data/logs && chown -R 1000:1000 /data'],
    ['removes what is elsewhere', 'rm -rf /var/lib/apt/lists/* /tmp/*'],
    ['is several commands behind set -e', 'set -eux; adduser --system app; chmod 755 /srv'],
    ['is in exec form', '["mkdir", "/data"]'],
    ['fills a cache of its own', '--mount=type=cache,target=/var/cache/x mkdir /data'],
  ])('%s', (_, command) => {
    expect(passed('/usr/local', [...SYSTEM, `RUN ${command}`])).toEqual([3])
  })

  test('is a script in a heredoc', () => {
    expect(passed('/usr/local', [...SYSTEM, 'RUN <<EOF', 'set -e', 'useradd app', 'mkdir /data', 'EOF'])).toEqual([3])
  })
})

describe('a RUN stays on top of the layers when it', () => {
  test.each([
    ['may need the packages', 'python -m nltk.downloader punkt'],
    ['runs a program that they may bring', 'gunicorn --version'],
    ['asks for one of them', 'which gunicorn'],
    ['looks into their folder', 'ls /usr/local/lib/python3.12/site-packages/a'],
    ['changes their owner', 'chown -R app /usr'],
    ['takes a mode from one of them', 'chmod --reference=/usr/local/bin/a /data'],
    ['goes into their folder', 'cd /usr/local/lib/python3.12 && mkdir /data'],
    ['makes a home among them', 'useradd -m -d /usr/local/app app'],
    ['upgrades pip', 'pip install --upgrade pip'],
    ['installs more', 'pip install ./wheels/b.whl'],
    ['notes the libraries of /usr/local, which wheels may bring', 'apt-get update && apt-get install -y curl'],
    ['does so by name', 'ldconfig'],
    ['reads certificates of /usr/local', 'update-ca-certificates'],
    ['may be anything', './setup.sh'],
    ['goes on after a failure', 'useradd app; mkdir /data'],
    ['has an alternative', 'useradd app || true'],
    ['writes into a file', 'echo x > /data'],
    ['asks the shell', 'useradd $(cat /name)'],
    ['mounts their folder', '--mount=type=cache,target=/usr/local/lib mkdir /data'],
    ['mounts files', '--mount=type=bind,target=/src mkdir /data'],
    ['has another network', '--network=none mkdir /data'],
  ])('%s', (_, command) => {
    expect(passed('/usr/local', [...SYSTEM, `RUN ${command}`])).toEqual([])
  })

  test('is run by another shell', () => {
    expect(passed('/usr/local', [...SYSTEM, 'SHELL ["/bin/zsh", "-c"]', 'RUN mkdir /data'])).toEqual([])
  })
})

describe('below an install into an environment', () => {
  test.each([
    ['packages of the system are installed', 'apt-get update && apt-get install -y --no-install-recommends curl'],
    ['libraries are noted', 'ldconfig'],
    ['users are made', 'useradd --create-home app'],
  ])('%s before its layers', (_, command) => {
    expect(passed('/opt/venv', [...VENV, `RUN ${command}`])).toEqual([4])
  })

  test.each([
    ['the folder above it gets another owner', 'chown app /opt'],
    ['something is made beside it, where only the install may have made the folder', 'mkdir /opt/data'],
    ['it is activated', '. /opt/venv/bin/activate && mkdir /data'],
    ['another environment is made', 'python -m venv /data/venv'],
    ['its folder is somebody’s home', 'useradd -d /opt/venv app'],
    ['its folder lies in somebody’s home', 'useradd -m --home-dir=/opt app'],
  ])('the layers come first when %s', (_, command) => {
    expect(passed('/opt/venv', [...VENV, `RUN ${command}`])).toEqual([])
  })

  test('the layers come before folders of a user above it', () => {
    const lines = [...VENV, 'USER app', 'WORKDIR /opt/work', 'RUN mkdir /data']
    expect(passed('/opt/venv', lines)).toEqual([])
  })
})

describe('the search', () => {
  test('goes on over what is no RUN, and ends at the first step that may need the packages', () => {
    const lines = [...SYSTEM, 'ENV A=1', 'COPY app /app', 'RUN mkdir /a', 'USER app', 'RUN mkdir /tmp/b', 'CMD ["x"]']
    expect(passed('/usr/local', lines)).toEqual([5, 7])
    expect(passed('/usr/local', [...lines, 'RUN python x.py', 'RUN mkdir /c'])).toEqual([5, 7])
  })

  test.each(['COPY app /usr/local/share/app', 'COPY usr /usr', 'COPY . /', 'WORKDIR /usr/local/work'])(
    'ends at %s, which writes where the packages are',
    (step) => {
      expect(passed('/usr/local', [...SYSTEM, step, 'RUN mkdir /data'])).toEqual([])
    },
  )

  test('goes over further installs of the same layers, and over what is left of them', () => {
    const lines = [...SYSTEM, 'RUN mkdir /a', 'RUN mkdir /b && pip install b', 'RUN mkdir /c']
    expect(passed('/usr/local', lines)).toEqual([3, 4, 5])
  })

  test('looks at the own stage alone', () => {
    const lines = ['FROM python AS below', 'RUN pip install a', 'RUN mkdir /a', 'FROM below', 'RUN mkdir /b']
    expect(passed('/usr/local', lines)).toEqual([3])
  })
})
