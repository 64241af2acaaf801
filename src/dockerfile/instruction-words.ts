import type { Flag } from './dockerfile.ts'

/** Spaces within an instruction; the line's own end is already gone. */
const SPACES = /[\t\v\f\r ]+/

/** Keyword, flags and the rest of an instruction's joined lines. */
export interface InstructionParts {
  readonly keyword: string
  readonly flags: readonly Flag[]
  readonly rest: string
}

/** Takes an instruction's joined lines apart: keyword, `--flags` as long as they come first, arguments. */
export function splitInstruction(line: string, escapeChar: string): InstructionParts {
  const text = line.trim()
  const space = SPACES.exec(text)
  if (space === null) return { keyword: text, flags: [], rest: '' }
  const { flags, rest } = splitFlags(text.slice(space.index + space[0].length), escapeChar)
  return { keyword: text.slice(0, space.index), flags, rest: rest.trim() }
}

function splitFlags(text: string, escapeChar: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = []
  let at = 0
  for (;;) {
    while (/^\s$/.test(text.charAt(at))) at++
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at) }
    const word = flagWord(text, at, escapeChar)
    at = word.end
    if (word.text === '--') return { flags, rest: text.slice(at) }
    const equals = word.text.indexOf('=')
    flags.push(
      equals < 0
        ? { name: word.text.slice(2), value: undefined }
        : { name: word.text.slice(2, equals), value: word.text.slice(equals + 1) },
    )
  }
}

/** Quotes and escapes are taken off a flag. */
function flagWord(text: string, start: number, escapeChar: string): { text: string; end: number } {
  let word = ''
  let quote = ''
  let at = start
  for (; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote === '' && /^\s$/.test(char)) break
    if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else if (char === escapeChar) word += text.charAt(++at)
    else word += char
  }
  return { text: word, end: at }
}

/** Words between spaces; quotes and escapes stay in them, and spaces within quotes don't split. */
export function quotedWords(text: string, escapeChar: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote === '' && /^\s$/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    word ??= ''
    if (char === escapeChar && quote !== "'") {
      if (at + 1 < text.length) word += char + text.charAt(++at)
      continue
    }
    if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    word += char
  }
  return word === undefined || word === '' ? words : [...words, word]
}

/** Arguments of instructions that know no quotes: FROM, COPY, ADD. */
export function plainWords(text: string): readonly string[] {
  return text === '' ? [] : text.split(SPACES)
}

/** A name with its value; ARG may leave the value out. */
export interface NameValue {
  readonly name: string
  readonly value: string | undefined
}

/**
 * The pairs of ENV or ARG, quotes and variables as they stand.
 * @returns a sentence when BuildKit would refuse them.
 */
export function nameValues(keyword: 'ENV' | 'ARG', text: string, escapeChar: string): readonly NameValue[] | string {
  const words = quotedWords(text, escapeChar)
  const [first] = words
  if (first === undefined) return `${keyword} requires at least one argument`
  if (keyword === 'ENV' && !first.includes('=')) {
    const space = SPACES.exec(text)
    if (space === null) return 'ENV must have two arguments'
    return [{ name: text.slice(0, space.index), value: text.slice(space.index + space[0].length) }]
  }
  const pairs: NameValue[] = []
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals === 0) return `${keyword} names can not be blank`
    if (equals < 0 && keyword === 'ENV') return `${JSON.stringify(word)} has no = (name=value is needed)`
    pairs.push(
      equals < 0 ? { name: word, value: undefined } : { name: word.slice(0, equals), value: word.slice(equals + 1) },
    )
  }
  return pairs
}

/**
 * The strings of a JSON array, as the exec form has them.
 * @returns undefined when the text is no JSON array (the shell form); `'not-strings'` when it is one, but of other things.
 */
export function jsonStrings(text: string): readonly string[] | 'not-strings' | undefined {
  if (!text.trimStart().startsWith('[')) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(value)) return undefined
  const strings: string[] = []
  for (const item of value) {
    if (typeof item !== 'string') return 'not-strings'
    strings.push(item)
  }
  return strings
}
