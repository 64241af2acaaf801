import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { BenchResult } from './bench-result.ts'
import { insertResults, resultMarkdown } from './markdown.ts'
import { resultsSvg } from './picture.ts'

const ORDER = ['torch', 'sklearn', 'small']

/**
 * Writes a result into `results.json` in place of the last one of its project, draws `results.svg` and the project's own
 * picture anew, and fills the document beside the folder (`docs/benchmarks.md` for `docs/benchmarks`), if it has the
 * markers for it.
 * @returns the files that were written
 */
export async function keepResult(result: BenchResult, folder: string): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  const json = join(folder, 'results.json')
  const picture = join(folder, 'results.svg')
  const own = join(folder, `${result.project}.svg`)
  const document = `${folder}.md`
  const before = readResults(await readFile(json, 'utf8').catch(() => '[]'))
  const results = replaceResult(before, result)
  await writeFile(json, `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(picture, resultsSvg(results))
  await writeFile(own, resultsSvg([result]))
  const text = await readFile(document, 'utf8').catch(() => undefined)
  if (text === undefined) return [json, picture, own]
  await writeFile(document, insertResults(text, resultsMarkdown(results, basename(folder))))
  return [json, picture, own, document]
}

/** Results of several projects, the one with the biggest packages first. */
export function replaceResult(before: readonly BenchResult[], result: BenchResult): readonly BenchResult[] {
  const others = before.filter(({ project }) => project !== result.project)
  return [...others, result].sort((a, b) => ORDER.indexOf(a.project) - ORDER.indexOf(b.project))
}

function resultsMarkdown(results: readonly BenchResult[], folder: string): string {
  const picture = `![Bars: time of a build for each change and each way](${folder}/results.svg)`
  return [picture, ...results.map((result) => `### ${result.project}-service\n\n${resultMarkdown(result)}`)].join(
    '\n\n',
  )
}

/** Results that were kept earlier; what has another shape is dropped, as it was made by another version. */
function readResults(text: string): readonly BenchResult[] {
  const value: unknown = JSON.parse(text)
  return Array.isArray(value) ? value.filter(isResult) : []
}

function isResult(value: unknown): value is BenchResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    'project' in value &&
    typeof value.project === 'string' &&
    'shapes' in value &&
    Array.isArray(value.shapes) &&
    'timed' in value &&
    Array.isArray(value.timed) &&
    'machine' in value
  )
}
