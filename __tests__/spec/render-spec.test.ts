import { describe, expect, test } from '@jest/globals'
import type { BaseImage } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import type { SpecLayer } from '../../src/spec/image-spec.ts'
import { checkSpec } from '../../src/spec/parse-spec.ts'
import { renderSpec } from '../../src/spec/render-spec.ts'

const scripts = new Map([['tool.py', ['six', 'idna<4']]])

function stepsOf(...layers: readonly SpecLayer[]): readonly string[] {
  const text = renderSpec(checkSpec({ python: '3.12', layers }, 'spec'), { scripts })
  return text.trimEnd().split('\n').slice(2)
}

describe('a layer of a spec becomes the step that people write', () => {
  test.each<[string, SpecLayer, readonly string[]]>([
    [
      'packages of the system',
      { apt: ['curl', 'libgomp1=12.2.0-14'] },
      [
        'RUN apt-get update && apt-get install -y --no-install-recommends curl libgomp1=12.2.0-14 && rm -rf /var/lib/apt/lists/*',
      ],
    ],
    [
      'Python packages, of which nothing is the shell’s',
      { pip: ['torch>=2', "odd'name", 'six'] },
      ["RUN pip install --no-cache-dir 'torch>=2' 'odd'\\''name' six"],
    ],
    [
      'indexes, links and pre-releases',
      {
        pip: ['six'],
        index: 'https://index.example/simple',
        'extra-indexes': ['https://more.example/a?b&c'],
        'find-links': ['wheels'],
        pre: true,
      },
      [
        "RUN pip install --no-cache-dir --index-url https://index.example/simple --extra-index-url 'https://more.example/a?b&c' --find-links wheels --pre six",
      ],
    ],
    [
      'secrets of one step',
      { pip: ['six'], secrets: ['token', { id: 'netrc', target: '/root/.netrc' }, { id: 'key', env: 'KEY' }] },
      [
        'RUN --mount=type=secret,id=token --mount=type=secret,id=netrc,target=/root/.netrc --mount=type=secret,id=key,env=KEY pip install --no-cache-dir six',
      ],
    ],
    [
      'requirements files, read where they lie',
      { requirements: ['requirements.txt', 'deps/more files.txt'] },
      [
        "RUN --mount=type=bind,target=/tmp/context pip install --no-cache-dir -r /tmp/context/requirements.txt -r '/tmp/context/deps/more files.txt'",
      ],
    ],
    [
      'own wheels',
      { wheels: ['dist/own-1-py3-none-any.whl'] },
      ['RUN --mount=type=bind,target=/tmp/context pip install --no-cache-dir /tmp/context/dist/own-1-py3-none-any.whl'],
    ],
    ['a script’s own packages', { script: 'tool.py' }, ["RUN pip install --no-cache-dir six 'idna<4'"]],
    ['commands, each of which must succeed', { run: ['make', 'make install'] }, ['RUN make && make install']],
    ['sources', { copy: ['src/', 'pyproject.toml'], to: './' }, ['COPY src/ pyproject.toml ./']],
    ['sources with blanks', { copy: 'my files', to: '/x', chown: '7:7' }, ['COPY --chown=7:7 ["my files","/x"]']],
    ['variables', { env: { A: 'say "x" \\ y', B: '$A' } }, ['ENV A="say \\"x\\" \\\\ y" B="$A"']],
    [
      'a step that stays as it is',
      { pip: ['six'], optimize: false },
      ['# image-cache: off', 'RUN pip install --no-cache-dir six'],
    ],
  ])('%s', (_, layer, lines) => {
    expect(stepsOf(layer)).toEqual(lines)
  })

  test('a project brings uv, and its environment comes first on the path', () => {
    expect(stepsOf({ project: 'svc/', groups: ['ml'], extras: ['web'] }, { project: '.', dev: true })).toEqual([
      'COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/uv',
      'RUN --mount=type=bind,source=svc/uv.lock,target=uv.lock --mount=type=bind,source=svc/pyproject.toml,target=pyproject.toml uv sync --frozen --no-install-project --no-cache --no-dev --group ml --extra web',
      'ENV PATH="/app/.venv/bin:$PATH"',
      'RUN --mount=type=bind,source=uv.lock,target=uv.lock --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync --frozen --no-install-project --no-cache',
      'ENV PATH="/app/.venv/bin:$PATH"',
    ])
  })
})

describe('an image of a spec', () => {
  test('has its settings before and after its layers', () => {
    const spec = checkSpec(
      {
        base: 'registry.example/python:1',
        env: { MODE: 'prod' },
        workdir: '/srv/my app',
        layers: [{ run: 'true' }],
        user: '1000:1000',
        expose: [8080, '53/udp'],
        labels: { 'org.example.team': 'a "b"' },
        entrypoint: ['python', '-m'],
        command: ['app'],
      },
      'spec',
    )
    expect(renderSpec(spec, { scripts })).toBe(`FROM registry.example/python:1
ENV MODE="prod"
WORKDIR /srv/my app
RUN true
USER 1000:1000
EXPOSE 8080 53/udp
LABEL "org.example.team"="a \\"b\\""
ENTRYPOINT ["python","-m"]
CMD ["app"]
`)
  })

  test('makes layers of every kind of install, and of none where it says so', () => {
    const layers: readonly SpecLayer[] = [
      { apt: ['curl'] },
      { pip: ['six'] },
      { requirements: 'requirements.txt' },
      { script: 'tool.py' },
    ]
    const installs = (more: object): readonly string[] => {
      const text = renderSpec(checkSpec({ python: '3.12', layers, ...more }, 'spec'), { scripts })
      const dockerfile = parseDockerfile(text, 'Dockerfile')
      const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
      const found = findInstalls(dockerfile, { baseImage: () => python, contextFiles: ['requirements.txt'] })
      return found.map((one) => (isInstallStep(one) ? 'ok' : one.code))
    }
    expect(installs({})).toEqual(['ok', 'ok', 'ok'])
    expect(installs({ 'optimize-layers': false })).not.toContain('ok')
  })
})
