import fc from 'fast-check'

/** A Dockerfile of steps put together at random, and the inputs of the build with layers. */
export interface RandomDockerfile {
  readonly dockerfile: string
  readonly inputs: Readonly<Record<string, string>>
}

/** What lies beside each of them. */
export const RANDOM_FILES: Readonly<Record<string, string>> = {
  'requirements.txt': 'six==1.17.0\nidna\n',
  'limits.txt': 'idna==3.10\nsix<1.17.1\n',
  'src/main.py': 'import six\n',
  'src/bin/run': '#!/bin/sh\n',
  'root/.config/own.conf': 'x\n',
}

const SITE_PACKAGES = '/usr/local/lib/python3.11/site-packages'

const requirement = fc.constantFrom(
  ...['six==1.17.0', 'six==1.16.0', 'six', 'idna==3.11', "'idna<3.5'", 'idna', 'certifi==2025.11.12', 'six==$V'],
  ...['pygments==2.19.2', 'python-dateutil==2.9.0.post0'],
)
const option = fc.constantFrom('', '', '', ' --upgrade', ' -c /req/limits.txt', ' --no-compile', ' --target /deps')
const program = fc.constantFrom('pip', 'pip', 'python -m pip', '/opt/v/bin/pip', 'uv pip')
const packages = fc.oneof(
  { arbitrary: fc.uniqueArray(requirement, { minLength: 1, maxLength: 2 }).map((names) => names.join(' ')), weight: 3 },
  { arbitrary: fc.constant('-r /req/requirements.txt'), weight: 1 },
)
const install = fc.tuple(program, option, packages).map(([name, more, wanted]) => {
  const system = name === 'uv pip' ? ' --system' : ''
  return `${name} install${system}${name === 'uv pip' ? more.replace(' --no-compile', '') : more} ${wanted}`
})
const beside = fc.constantFrom(
  ...[
    'mkdir -p /app/data',
    'touch /app',
    'useradd -m worker',
    'rm -rf /root/.cache',
    'rm -rf /root/.cache/pip',
    'cd /srv',
  ],
  ...['export V=1.15.0', 'ls /usr/local/bin >/list', 'pip freeze >/frozen', 'chmod 700 /opt', 'true', 'umask 077'],
  ...[
    `chmod 711 ${SITE_PACKAGES}`,
    `rm -rf ${SITE_PACKAGES}/idna*`,
    'ln -sfn /srv /app',
    'mkdir -p /root/.cache/own && touch /root/.cache/own/x',
  ],
)
const run = fc
  .tuple(
    fc.array(beside, { maxLength: 1 }),
    install,
    fc.array(beside, { maxLength: 1 }),
    fc.constantFrom(' && ', ' && ', ' && ', '; '),
  )
  .map(([before, command, after, joint]) => `RUN ${[...before, command, ...after].join(joint)}`)
const copy = fc
  .record({
    chown: fc.constantFrom('', '', '', '--chown=1000:1000 '),
    from: fc.constantFrom('src/', 'src', 'src/main.py', 'src/bin', '.'),
    to: fc.constantFrom(
      '/app/',
      '/app',
      '/app/src/',
      './',
      'x',
      '/opt/x/',
      '/usr/local/bin/',
      `${SITE_PACKAGES}/`,
      '/deps/',
      '/root/.cache/own/',
      '/srv/a b/',
    ),
  })
  .map(({ chown, from, to }) => (to.includes(' ') ? `COPY ["${from}", "${to}"]` : `COPY ${chown}${from} ${to}`))
const other = fc.constantFrom(
  ...[
    'WORKDIR /app',
    'WORKDIR sub',
    'WORKDIR /opt/x',
    'WORKDIR /',
    'ENV V=1.16.0',
    'ARG V=1.17.0',
    'ENV PATH=/opt/v/bin:$PATH',
  ],
  ...[
    'ENV UV_COMPILE_BYTECODE=1',
    'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
    'COPY root/ /root/',
    'LABEL a=$V',
    'CMD ["x"]',
  ],
  ...[
    'RUN python -m venv /opt/v',
    'VOLUME /app',
    'EXPOSE 80',
    'RUN --mount=type=cache,target=/root/.cache pip install six',
  ],
)
const steps = fc.array(
  fc.oneof(
    { arbitrary: run, weight: 5 },
    { arbitrary: copy, weight: 3 },
    { arbitrary: other, weight: 4 },
    {
      arbitrary: beside.map((text) => `RUN ${text}`),
      weight: 2,
    },
  ),
  { minLength: 2, maxLength: 8 },
)
const ending = fc.constantFrom(
  '',
  '',
  `\nFROM python:3.11-slim\nCOPY --from=builder /opt/v /opt/v\nCOPY src/ /app/\n`,
  `\nFROM python:3.11-slim\nCOPY --from=builder ${SITE_PACKAGES} ${SITE_PACKAGES}\nWORKDIR /app\nCOPY src/ .\n`,
  `\nFROM builder\nCOPY src/ /app/src/\nRUN mkdir -p /late\n`,
)
const settings = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  { reorder: 'safe' },
  { 'link-copies': 'all', reorder: 'safe' },
  { assemble: 'linked' },
  { assemble: 'chain' },
)

/** Dockerfiles in which installs, copies and steps that get in their way follow upon each other in any order. */
export const randomDockerfile: fc.Arbitrary<RandomDockerfile> = fc
  .tuple(steps, ending, settings)
  .map(([lines, end, inputs]) => {
    const head =
      'FROM python:3.11-slim AS builder\nCOPY --from=installer /usr/local/bin/uv /usr/local/bin/uv\nRUN python -m venv /opt/v\nENV V=1.17.0\nCOPY requirements.txt limits.txt /req/\n'
    return { dockerfile: `${head}${lines.join('\n')}\n${end}`, inputs }
  })
