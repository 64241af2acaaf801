import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

/** A Markdown file of the repository. */
export interface Document {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly path: string
  readonly language: string
  readonly code: string
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Every Markdown file that people read: at the top, under docs, examples and .github. */
export function documents(): readonly Document[] {
  const below = ['docs', 'examples', '.github'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  )
  return [...readdirSync(ROOT), ...below]
    .filter((path) => path.endsWith('.md'))
    .sort()
    .map((path) => ({ path, text: readText(path) }))
}

/** YAML blocks that are files of our own and no workflows begin with their name. */
export const OWN_FILE = /^# (\.image-cache|tasks|image)\.yml$/m

export function codeBlocks(language: string): readonly CodeBlock[] {
  return documents().flatMap(({ path, text }) =>
    [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
      .filter(([, found]) => found === language)
      .map(([, , code = '']) => ({ path, language, code })),
  )
}

/** The cells of a Markdown table's rows whose first cell is one word in backticks, by that word. */
export function tableRows(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = text.split('\n').flatMap((line): [string, readonly string[]][] => {
    const [, first, rest] = /^\| `([\w.-]+)` \|(.*)\|$/.exec(line) ?? []
    return first === undefined || rest === undefined ? [] : [[first, rest.split('|').map((cell) => cell.trim())]]
  })
  return new Map(rows)
}
