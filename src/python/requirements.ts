import { posix } from 'node:path'
import { type LogicalLine, logicalLines } from './logical-lines.ts'
import { optionWords } from './option-words.ts'
import { type Obstacle, type ObstacleCode, type RequirementLine, readRequirement } from './requirement-line.ts'
import type { IndexSettings } from './resolution.ts'

/** Another file that a requirements file names. */
export interface NestedFile {
  /** Path in the same terms as the file that names it: relative to that file, `..` resolved. */
  readonly path: string
  readonly line: number
}

/** What one requirements file says, without the files that it names. */
export interface Requirements {
  readonly lines: readonly RequirementLine[]
  /** Files behind `-r`, in order. */
  readonly nested: readonly NestedFile[]
  /** Files behind `-c`, in order. */
  readonly constraints: readonly NestedFile[]
  /** Only what the file sets. */
  readonly settings: Partial<IndexSettings>
  /** Values of `--only-binary`: names or `:all:`. */
  readonly onlyBinary: readonly string[]
  /** What can't become a layer of wheels in this version. */
  readonly obstacles: readonly Obstacle[]
}

type Setting = 'index' | 'extra' | 'links' | 'only-binary' | 'no-binary' | 'requirement' | 'constraint' | 'editable'
type Found = {
  -readonly [K in keyof Requirements]: Requirements[K] extends readonly (infer T)[] ? T[] : Requirements[K]
}

const WITH_VALUE: ReadonlyMap<string, Setting> = new Map([
  ['-i', 'index'],
  ['--index-url', 'index'],
  // An older spelling that pip still takes.
  ['--pypi-url', 'index'],
  ['--extra-index-url', 'extra'],
  ['-f', 'links'],
  ['--find-links', 'links'],
  ['--only-binary', 'only-binary'],
  ['--no-binary', 'no-binary'],
  ['-r', 'requirement'],
  ['--requirement', 'requirement'],
  ['-c', 'constraint'],
  ['--constraint', 'constraint'],
  ['-e', 'editable'],
  ['--editable', 'editable'],
])

/** Options without a value that change nothing for an install of wheels alone with verified hashes. */
const HARMLESS = new Set(['--prefer-binary', '--require-hashes'])

/**
 * Reads a requirements file as pip does, as far as an install of wheels from an index goes; the rest is told as
 * obstacles, never guessed.
 * @param path the file's own path, for messages and as the place that nested paths are relative to; `/` between parts.
 */
export function parseRequirements(text: string, path: string): Requirements {
  const found: Found = { lines: [], nested: [], constraints: [], settings: {}, onlyBinary: [], obstacles: [] }
  for (const entry of logicalLines(text)) {
    const refuse = (code: ObstacleCode, sentence: string): void => {
      found.obstacles.push({ code, file: path, line: entry.line, sentence })
    }
    if (/\$\{[A-Z0-9_]+\}/.test(entry.text)) {
      refuse('environment', 'the line takes a value from the environment, which is known only while the step runs')
      continue
    }
    readEntry(entry, path, found, refuse)
  }
  return found
}

type Refuse = (code: ObstacleCode, sentence: string) => void

function readEntry(entry: LogicalLine, path: string, found: Found, refuse: Refuse): void {
  const optionsAt = /(?:^|\s)-/.exec(entry.text)?.index ?? entry.text.length
  const requirement = entry.text.slice(0, optionsAt).trim()
  const words = optionWords(entry.text.slice(optionsAt))
  if (words === undefined) refuse('unknown-option', 'a quote in the line is not closed')
  else if (requirement === '') readOptions(words, entry.line, path, found, refuse)
  else readNamed(requirement, words, entry.line, path, found, refuse)
}

function readNamed(
  text: string,
  words: readonly string[],
  line: number,
  path: string,
  found: Found,
  refuse: Refuse,
): void {
  const read = readRequirement(text)
  if ('sentence' in read) {
    refuse('not-only-wheels', read.sentence)
    return
  }
  const hashes: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const value = word === '--hash' ? words[++index] : /^--hash=(.*)$/.exec(word)?.[1]
    if (value === undefined || !/^sha256:[0-9a-f]{64}$/i.test(value)) {
      const sentence = `the option ${word.replace(/=.*$/s, '')} of ${read.name} is not a sha256 hash`
      refuse('unknown-option', sentence)
      return
    }
    hashes.push(value.toLowerCase())
  }
  found.lines.push({ file: path, line, name: read.name, text: read.text, hashes })
}

function readOptions(words: readonly string[], line: number, path: string, found: Found, refuse: Refuse): void {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '--pre') {
      found.settings = { ...found.settings, preReleases: true }
      continue
    }
    if (HARMLESS.has(word)) continue
    const split = splitOption(word)
    const setting = WITH_VALUE.get(split.option)
    const value = split.value ?? (setting === undefined ? undefined : words[++index])
    if (setting === undefined) refuse('unknown-option', `the option ${split.option} is not known`)
    else if (value === undefined || value === '') refuse('unknown-option', `the option ${split.option} has no value`)
    else applyOption(setting, value, line, path, found, refuse)
  }
}

/** `--name=value`, `--name`, `-rvalue` and `-r` in one shape. */
function splitOption(word: string): { readonly option: string; readonly value: string | undefined } {
  const [, long, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
  if (long !== undefined) return { option: long, value }
  if (/^-[a-z]./i.test(word)) return { option: word.slice(0, 2), value: word.slice(2) }
  return { option: word, value: undefined }
}

function applyOption(setting: Setting, value: string, line: number, path: string, found: Found, refuse: Refuse): void {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value)
  switch (setting) {
    case 'index':
      found.settings = { ...found.settings, indexUrl: value }
      break
    case 'extra':
      found.settings = { ...found.settings, extraIndexUrls: [...(found.settings.extraIndexUrls ?? []), value] }
      break
    case 'links':
      if (/^https?:/i.test(value)) {
        found.settings = { ...found.settings, findLinks: [...(found.settings.findLinks ?? []), value] }
      } else refuse('not-only-wheels', 'a local folder of wheels (--find-links) is out of reach')
      break
    case 'only-binary':
      found.onlyBinary.push(...value.split(',').filter((name) => name !== '' && name !== ':none:'))
      break
    case 'no-binary':
      if (value !== ':none:') refuse('not-only-wheels', '--no-binary asks for a build from source')
      break
    case 'editable':
      refuse('not-only-wheels', 'an editable install stays with its source')
      break
    case 'requirement':
    case 'constraint':
      if (isUrl) refuse('file-not-found', 'a requirements file behind a URL is not read')
      else found[setting === 'requirement' ? 'nested' : 'constraints'].push({ path: beside(path, value), line })
  }
}

/** A path as the file at `path` means it: relative to its own folder. */
function beside(path: string, value: string): string {
  return posix.isAbsolute(value) ? posix.normalize(value) : posix.join(posix.dirname(path), value)
}
