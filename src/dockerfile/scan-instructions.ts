import type { Directive, Heredoc, Instruction } from './dockerfile.ts'
import { type InstructionParts, jsonStrings, splitInstruction } from './instruction-words.ts'
import { ExpansionError, expandWords } from './word-expansion.ts'

/** What a file consists of, before stages and meanings. */
export interface ScannedFile {
  readonly escapeChar: '\\' | '`'
  readonly directives: readonly Directive[]
  readonly instructions: readonly Instruction[]
}

/** A mistake in the file, with the line it is shown at. */
export class ScanError extends Error {
  override readonly name = 'ScanError'
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** A line of the file: `end` is before the line ending, `next` after it. */
interface Line {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly next: number
}

/** Instructions whose arguments may be a JSON array. */
const MAYBE_JSON = ['RUN', 'CMD', 'ENTRYPOINT', 'SHELL', 'COPY', 'ADD', 'VOLUME']
const WITH_HEREDOCS = ['RUN', 'COPY', 'ADD']

/**
 * Splits a Dockerfile into instructions line by line by the rules of BuildKit's own parser (frontend/dockerfile/parser),
 * because the line ranges decide what a rewrite replaces: where a continuation ends, which comments lie inside of one,
 * which words start heredocs.
 * @throws ScanError
 */
export function scanInstructions(text: string): ScannedFile {
  const lines = splitLines(text)
  const directives = readDirectives(lines)
  const escapeChar = directives.find((directive) => directive.name === 'escape')?.value === '`' ? '`' : '\\'
  const continued = escapeChar === '`' ? /(?:^|[^`])`[ \t]*$/ : /(?:^|[^\\])\\[ \t]*$/
  const instructions: Instruction[] = []

  for (let at = 0; at < lines.length; at++) {
    const first = lines[at]
    if (first === undefined || isComment(first.text) || first.text.trim() === '') continue
    const begin = at
    let piece = first.text.trimStart()
    let joined = ''
    for (;;) {
      const open = continued.test(piece)
      joined += open ? piece.replace(escapeChar === '`' ? /`[ \t]*$/ : /\\[ \t]*$/, '') : piece
      if (!open) break
      const [line, reached] = nextContinuation(lines, at)
      at = reached
      if (line === undefined) break
      piece = line.text
    }
    const parts = splitInstruction(joined, escapeChar)
    const last = at
    const heredocs: Heredoc[] = []
    for (const word of heredocWords(joined, parts, begin + 1, escapeChar)) {
      const body = readHeredoc(lines, at + 1, word)
      if (body === undefined) throw new ScanError(begin + 1, `unterminated heredoc: no line says ${word.name}`)
      heredocs.push({ name: word.name, content: text.slice(lines[at + 1]?.start, lines[body]?.start) })
      at = body
    }
    const headEnd = lines[last]?.end ?? first.end
    instructions.push({
      keyword: parts.keyword.toUpperCase(),
      flags: parts.flags,
      rest: parts.rest,
      json: execForm(parts, begin + 1),
      heredocs,
      lines: { first: begin + 1, last: at + 1 },
      start: first.start,
      headEnd,
      end: at === last ? headEnd : (lines[at]?.end ?? headEnd),
      comments: commentsAbove(lines, begin),
    })
  }
  return { escapeChar, directives, instructions }
}

/** Comments and empty lines within a continuation are skipped. */
function nextContinuation(lines: readonly Line[], from: number): [line: Line | undefined, at: number] {
  for (let at = from + 1; at < lines.length; at++) {
    const line = lines[at]
    if (line !== undefined && !isComment(line.text) && line.text.trim() !== '') return [line, at]
  }
  // An open end: whatever follows belongs to the instruction, but not the empty piece after the last line ending.
  return [undefined, lines.length - 1]
}

function execForm(parts: InstructionParts, line: number): readonly string[] | undefined {
  if (!MAYBE_JSON.includes(parts.keyword.toUpperCase())) return undefined
  const strings = jsonStrings(parts.rest)
  if (strings === 'not-strings') throw new ScanError(line, 'a JSON array may hold strings only')
  return strings
}

interface HeredocWord {
  readonly name: string
  readonly tabs: boolean
}

function heredocWords(
  joined: string,
  parts: InstructionParts,
  line: number,
  escapeChar: string,
): readonly HeredocWord[] {
  if (!joined.includes('<<')) return []
  const inner = parts.keyword.toUpperCase() === 'ONBUILD' ? splitInstruction(parts.rest, escapeChar) : parts
  if (!WITH_HEREDOCS.includes(inner.keyword.toUpperCase()) || execForm(inner, line) !== undefined) return []
  return lexed(joined, true).flatMap((word) => {
    const [, tabs, rest = ''] = /^\d*<<(-?)\s*([^<]*)$/.exec(word) ?? []
    const [name, more] = rest === '' ? [] : lexed(rest, false)
    return name === undefined || more !== undefined ? [] : [{ name, tabs: tabs === '-' }]
  })
}

/** A text that can't be lexed holds no heredocs. */
function lexed(text: string, raw: boolean): readonly string[] {
  const keep = (name: string): string => `$${name}`
  try {
    return expandWords(text, { escapeChar: '\\', lookup: raw ? () => undefined : keep, raw })
  } catch (error) {
    if (error instanceof ExpansionError) return []
    throw error
  }
}

function readHeredoc(lines: readonly Line[], from: number, word: HeredocWord): number | undefined {
  for (let at = from; at < lines.length; at++) {
    const text = lines[at]?.text ?? ''
    if ((word.tabs ? text.replace(/^\t+/, '') : text) === word.name) return at
  }
  return undefined
}

/** The block of comment lines that ends right above, without a gap. */
function commentsAbove(lines: readonly Line[], at: number): readonly string[] {
  const comments: string[] = []
  for (let above = at - 1; above >= 0; above--) {
    const text = lines[above]?.text ?? ''
    if (!isComment(text)) break
    comments.unshift(text.trim().slice(1).trim())
  }
  return comments
}

function readDirectives(lines: readonly Line[]): readonly Directive[] {
  const directives: Directive[] = []
  for (const [index, { text }] of lines.entries()) {
    // A first line such as `#!/usr/bin/env …` ends BuildKit's parser directives, but not its search for `# syntax=`.
    if (index === 0 && text.startsWith('#!')) continue
    const [, key = '', value = ''] = /^\s*#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(text) ?? []
    const name = key.toLowerCase()
    if (!['syntax', 'escape', 'check'].includes(name)) break
    const line = index + 1
    if (directives.some((directive) => directive.name === name)) {
      throw new ScanError(line, `only one ${name} directive can be used`)
    }
    const afterShebang = lines[0]?.text.startsWith('#!') === true
    if (name === 'escape' && afterShebang) continue
    if (name === 'escape' && value !== '\\' && value !== '`') {
      throw new ScanError(line, `the escape character can be \\ or \`, not ${JSON.stringify(value)}`)
    }
    directives.push({ name, value, line })
  }
  return directives
}

function isComment(text: string): boolean {
  return text.trimStart().startsWith('#')
}

/** Lines end at LF alone; carriage returns before it belong to the line ending. */
function splitLines(text: string): readonly Line[] {
  const lines: Line[] = []
  // A byte order mark is no part of the first line.
  let start = text.startsWith('\uFEFF') ? 1 : 0
  while (start < text.length) {
    const feed = text.indexOf('\n', start)
    const next = feed < 0 ? text.length : feed + 1
    const line = text.slice(start, next).replace(/[\r\n]+$/, '')
    lines.push({ text: line, start, end: start + line.length, next })
    start = next
  }
  return lines
}
