import { describe, expect, test } from '@jest/globals'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { suggestEdits } from '../../src/dockerfile/suggest-edits.ts'
import { applyEdits } from '../../src/dockerfile/text-edit.ts'

type Code = Parameters<typeof suggestEdits>[1][number]['code']

function edited(step: string, code: Code): readonly string[] {
  const dockerfile = parseDockerfile(`FROM python\n${step}\n`, 'Dockerfile')
  const suggestions = suggestEdits(dockerfile, [{ code, sentence: '', line: 2 }])
  return suggestions.map(({ edits }) =>
    applyEdits(dockerfile.text, edits)
      .replace(/^FROM python\n/, '')
      .trimEnd(),
  )
}

describe('an edit that is suggested', () => {
  test.each([
    ['RUN uv sync --frozen', 'RUN uv sync --frozen --no-install-project\nRUN uv sync --frozen'],
    ['RUN poetry install --only main', 'RUN poetry install --only main --no-root\nRUN poetry install --only main'],
    ['RUN /opt/p/bin/poetry install', 'RUN /opt/p/bin/poetry install --no-root\nRUN /opt/p/bin/poetry install'],
    ['RUN pdm sync --prod', 'RUN pdm sync --prod --no-self\nRUN pdm sync --prod'],
  ])('installs the project last: %s', (step, expected) => {
    expect(edited(step, 'not-only-wheels')).toEqual([expected])
  })

  test.each(['RUN poetry install --no-root', 'RUN poetry install && true', 'RUN pip install .'])(
    'not so: %s',
    (step) => {
      expect(edited(step, 'not-only-wheels')).toEqual([])
    },
  )

  test.each([
    ['RUN poetry install', 'ENV POETRY_VIRTUALENVS_CREATE=false\nRUN poetry install'],
    ['RUN uv pip install six', 'RUN uv pip install --system six'],
  ])('takes the image’s own Python: %s', (step, expected) => {
    expect(edited(step, 'virtual-environment')).toEqual([expected])
  })
})
