import { describe, expect, test } from '@jest/globals'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { locateInContext } from '../../src/dockerfile/locate-in-context.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

const view: BuildView = {
  baseImage: () => ({ env: {}, workingDir: '/base' }),
  contextFiles: ['requirements.txt', 'requirements-dev.txt', 'dev/requirements.txt', 'dev/deep/c.txt', 'files.tar'],
}

/** Where the last step of the file finds `path`. */
function locate(steps: string, path: string): string | undefined {
  const dockerfile = parseDockerfile(`FROM base\n${steps}\nRUN last\n`, 'Dockerfile')
  const last = dockerfile.stages.at(-1)
  const lines = last?.instructions.at(-1)?.lines ?? { first: 0, last: 0 }
  return locateInContext(dockerfile, { stage: last?.index ?? 0, lines }, path, view)
}

describe('a file of the image is traced to the build context', () => {
  const cases: readonly (readonly [steps: string, path: string, expected: string | undefined])[] = [
    ['COPY requirements.txt .', 'requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt .', '/base/requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt .', '/requirements.txt', undefined],
    ['WORKDIR /app\nCOPY ./requirements.txt /app', 'requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt /tmp/r.txt', '/tmp/r.txt', 'requirements.txt'],
    ['COPY requirements.txt /tmp/', '/tmp/requirements.txt', 'requirements.txt'],
    ['COPY . /app', '/app/dev/requirements.txt', 'dev/requirements.txt'],
    ['COPY dev /app/', '/app/requirements.txt', 'dev/requirements.txt'],
    ['COPY dev/ requirements-dev.txt /app/', '/app/requirements-dev.txt', 'requirements-dev.txt'],
    ['COPY requirements*.txt ./', 'requirements-dev.txt', 'requirements-dev.txt'],
    ['COPY */requirements.txt ./', 'requirements.txt', 'dev/requirements.txt'],
    ['COPY d?v/[a-f]eep /x/', '/x/c.txt', 'dev/deep/c.txt'],
    ['COPY ["requirements.txt", "/with space/"]', '/with space/requirements.txt', 'requirements.txt'],
    ['ENV D=/opt/d\nCOPY requirements.txt $D/', '/opt/d/requirements.txt', 'requirements.txt'],
    ['ADD requirements.txt .', 'requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt dev/requirements.txt ./', 'requirements.txt', 'dev/requirements.txt'],
    ['COPY requirements.txt .\nCOPY dev .', 'requirements.txt', 'dev/requirements.txt'],
    ['COPY dev .\nCOPY requirements.txt .', 'requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt .\nCOPY --from=x /uv /bin/', 'requirements.txt', 'requirements.txt'],
    ['COPY requirements.txt .\nCOPY --from=x / /base', 'requirements.txt', undefined],
    ['COPY <<requirements.txt .\na\nrequirements.txt', 'requirements.txt', undefined],
    ['COPY requirements.txt .\nADD files.tar .', 'requirements.txt', undefined],
    ['ADD https://files.example/requirements.txt .', 'requirements.txt', undefined],
    ['COPY --parents dev/requirements.txt .', 'dev/requirements.txt', undefined],
    ['COPY requirements.txt .', 'other.txt', undefined],
  ]
  test.each(cases)('%s: %s', (steps, path, expected) => {
    expect(locate(steps, path)).toBe(expected)
  })
})

describe('a RUN in between', () => {
  const cases: readonly (readonly [run: string, same: boolean])[] = [
    ['apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*', true],
    ['useradd -m app', true],
    ['pip install a', true],
    ['apt-get install -y curl=$VERSION', true],
    ["sed -i '/torch/d' requirements.txt", false],
    ["sed -i 's/a/b/' *.txt", false],
    ['sed -i s/a/b/ $FILE', false],
    ['echo a >> $FILE', false],
    ['./prepare.sh', false],
    ['python prepare.py', false],
    ['cp -r /else/. .', false],
    ['apt-get update && make', false],
    ['<<EOF\nx\nEOF', false],
  ]
  test.each(cases)('%s leaves the file alone: %s', (run, same) => {
    expect(locate(`COPY requirements.txt .\nRUN ${run}`, 'requirements.txt')).toBe(
      same ? 'requirements.txt' : undefined,
    )
  })

  test('above the COPY changes nothing', () => {
    expect(locate('RUN ./prepare.sh\nCOPY requirements.txt .', 'requirements.txt')).toBe('requirements.txt')
  })
})

test('the stage below is looked at too', () => {
  expect(locate('COPY requirements.txt /r/\nFROM base AS other\nFROM base', '/r/requirements.txt')).toBe(undefined)
  const steps = 'WORKDIR /r\nCOPY requirements.txt ./\nFROM 0'
  expect(locate(steps, 'requirements.txt')).toBe(undefined)
  const named = parseDockerfile(
    'FROM base AS one\nWORKDIR /r\nCOPY requirements.txt ./\nFROM one\nRUN x\n',
    'Dockerfile',
  )
  const at = { stage: 1, lines: { first: 5, last: 5 } }
  expect(locateInContext(named, at, 'requirements.txt', view)).toBe('requirements.txt')
})
