import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { describeLibrary } from '../../tools/build/describe-library.ts'
import { ROOT, readText } from './documents.ts'

const { pages, problems } = describeLibrary()

test('all that the library exports is described, with each parameter, and all types that it names can be imported', () => {
  expect(problems).toEqual([])
})

test('docs/api is what the docstrings say (npm run describe writes it anew)', () => {
  expect(
    readdirSync(join(ROOT, 'docs/api'))
      .map((file) => `docs/api/${file}`)
      .sort(),
  ).toEqual([...pages.keys()].sort())
  for (const [path, text] of pages) expect({ path, text: readText(path) }).toEqual({ path, text })
})

test('the reference holds what programs begin with', () => {
  const index = pages.get('docs/api/README.md')
  for (const name of [
    'buildImage',
    'checkImage',
    'contentKey',
    'openStore',
    'planLayers',
    'publish',
    'renderDockerfile',
  ])
    expect(index).toContain(`[${name}](`)
})
