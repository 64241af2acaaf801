import { describe, expect, test } from '@jest/globals'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { type StepOnTop, stepsOnTop } from '../../src/dockerfile/steps-on-top.ts'
import { plannedLayers } from '../support/planned-layers.ts'

const view: BuildView = {
  baseImage: () => ({ env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }),
  contextFiles: ['app/main.py'],
}

/** What stands on top of two layers of 30 and 12 bytes that take the place of every install. */
function onTop(text: string, told: readonly number[] = []): readonly StepOnTop[] {
  const dockerfile = parseDockerfile(text, 'Dockerfile')
  const groups = [30, 12].map((size) => ({ packages: [], size, changeRate: 0.1, reason: 'for the test' }))
  const layers = plannedLayers(text, view, groups)
  return stepsOnTop(dockerfile, layers, view, new Set(told))
}

describe('a RUN below the install', () => {
  test('costs all layers, and may need the packages', () => {
    expect(onTop('FROM python\nRUN pip install a\nRUN python -m nltk.downloader punkt\n')).toEqual([
      { line: 3, bytes: 42, mayStandAbove: undefined, isPassable: false },
    ])
  })

  test.each([
    ['useradd app', true],
    ['groupadd -r app && useradd -r -g app app', true],
    ['mkdir -p /data && chown app /data', true],
    ['apt-get update && apt-get install -y curl', false],
  ])('%s may stand above it', (command, isPassable) => {
    expect(onTop(`FROM python\nRUN echo\nRUN pip install a\nRUN ${command}\n`)).toEqual([
      { line: 4, bytes: 42, mayStandAbove: 3, isPassable },
    ])
  })

  test.each(['chown -R app /usr', 'rm -rf /usr/local/lib/python3.12/test', 'mkdir /data; sh setup.sh'])(
    '%s may not',
    (command) => {
      expect(onTop(`FROM python\nRUN pip install a\nRUN ${command}\n`)).toMatchObject([{ mayStandAbove: undefined }])
    },
  )

  test('costs nothing where it stands above it, or in a stage without layers', () => {
    expect(
      onTop('FROM python\nRUN echo\nRUN pip install a\nFROM python AS last\nCOPY --from=0 /x /x\nRUN echo\n'),
    ).toEqual([])
  })

  test('counts in stages that stand on the install’s, too', () => {
    expect(onTop('FROM python AS base\nRUN pip install a\nFROM base\nRUN python x.py\n')).toMatchObject([{ line: 4 }])
  })

  test('is left out where something else is said of it', () => {
    expect(onTop('FROM python\nRUN pip install a\nRUN poetry install\n', [3])).toEqual([])
  })
})
