import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/service-set.ts'
import { ActRig } from '../support/act-rig.ts'
import { type CacheService, startCacheService } from '../support/cache-service.ts'

// Building act takes minutes when it isn't in the tools' folder yet.
jest.setTimeout(300_000)

const root = join(import.meta.dirname, '../..')
let act: ActRig
let cache: CacheService

beforeAll(async () => {
  cache = await startCacheService()
  act = await ActRig.create(await ensureTool('act'))
  for (const path of ['dist', 'action.yml', 'task']) await act.copy(join(root, path), path)
  await act.write('words/a.txt', 'one\n')
  await act.write('.github/workflows/ci.yml', workflow())
})
afterAll(() => Promise.all([act.close(), cache.close()]))

test('two jobs share a task: the second one gets files and values, and so does the next run', async () => {
  const first = await run()
  expect(first.exitCode).toBe(0)
  expect(first.outputs.get('words.cache-status')).toBe('miss')
  // The second job needs the first, whose post step has stored the result.
  expect(first.outputs.get('again.cache-status')).toBe('hit')
  expect(first.outputs.get('again.count')).toBe('1')
  expect(first.text).toContain('the file says: one')
  expect(first.text).toContain('the step said hit with 1')
  expect(first.summary).toContain('✓ hit')

  const second = await run()
  expect([second.outputs.get('words.cache-status'), second.outputs.get('again.cache-status')]).toEqual(['hit', 'hit'])

  await act.write('words/b.txt', 'two\n')
  const third = await run()
  expect([third.outputs.get('words.cache-status'), third.outputs.get('again.count')]).toEqual(['miss', '2'])
  expect(third.outputs.get('words.why')).toContain('words/b.txt')
})

function run() {
  return act.run({ workflow: '.github/workflows/ci.yml', env: cache.env() })
}

function workflow(): string {
  const task = (id: string): string => `
      - uses: actions/checkout@v7
      - id: ${id}
        uses: ./task
        with:
          name: words
          shell: sh
          run: |
            cat words/*.txt > all.txt
            echo "count=$(cat words/*.txt | wc -l)" >> "$GITHUB_OUTPUT"
          inputs: words
          outputs: |
            all.txt
            value:count`
  return `
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:${task('words')}
  two:
    needs: one
    runs-on: ubuntu-latest
    steps:${task('again')}
      - run: |
          echo "the file says: $(cat all.txt)"
          echo "the step said \${{ steps.again.outputs.cache-status }} with \${{ steps.again.outputs.count }}"
`
}
