/** Value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

export interface LexOptions {
  /** The file's escape character. */
  readonly escapeChar: '\\' | '`'
  readonly lookup: Lookup
  /** Keep quotes and escapes as they stand, and variables that are not set. */
  readonly raw?: boolean
}

/** A text that BuildKit would refuse to expand. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError'
}

interface Lexer {
  readonly source: string
  at: number
  readonly escapeChar: string
  readonly lookup: Lookup
  readonly raw: boolean
}

/** A piece of a word: `protected` ones are never split at spaces. */
interface Piece {
  readonly text: string
  readonly protected: boolean
}

/**
 * Fills in variables and takes quotes off, as BuildKit does for the arguments of FROM, ARG, ENV, WORKDIR, USER and COPY
 * (Dockerfile reference, "Environment replacement"): `$x`, `${x:-word}`, `${x#pattern}`, `${x/pattern/text}` and so on.
 * @throws ExpansionError on what BuildKit refuses.
 */
export function expandWord(source: string, options: LexOptions): string {
  return pieces(lexer(source, options), undefined, options.raw === true)
    .map((piece) => piece.text)
    .join('')
}

/** The same, then split at spaces outside of quotes. */
export function expandWords(source: string, options: LexOptions): readonly string[] {
  const words: string[] = []
  let word = ''
  for (const piece of pieces(lexer(source, options), undefined, options.raw === true)) {
    for (const part of piece.protected ? [piece.text] : piece.text.split(/(\s)/)) {
      if (piece.protected || !/^\s$/.test(part)) word += part
      else if (word !== '') {
        words.push(word)
        word = ''
      }
    }
  }
  return word === '' ? words : [...words, word]
}

function lexer(source: string, { escapeChar, lookup, raw = false }: LexOptions): Lexer {
  return { source, at: 0, escapeChar, lookup, raw }
}

function pieces(lex: Lexer, stop: string | undefined, keepEscapes: boolean): Piece[] {
  const found: Piece[] = []
  while (lex.at < lex.source.length) {
    const char = peek(lex)
    if (char === stop) {
      lex.at++
      return found
    }
    if (char === "'") found.push({ text: singleQuoted(lex), protected: true })
    else if (char === '"') found.push({ text: doubleQuoted(lex, keepEscapes), protected: true })
    else if (char === '$') found.push({ text: variable(lex), protected: false })
    else if (char === '<') found.push({ text: arrows(lex), protected: true })
    else if (char === lex.escapeChar) found.push(escaped(lex, keepEscapes))
    else found.push({ text: take(lex), protected: false })
  }
  if (stop !== undefined) throw new ExpansionError(`${stop} is missing`)
  return found
}

function escaped(lex: Lexer, keep: boolean): Piece {
  const escapeChar = take(lex)
  return { text: `${keep ? escapeChar : ''}${take(lex)}`, protected: true }
}

/** `<<` keeps the spaces behind it, so that `<< EOF` is one word. */
function arrows(lex: Lexer): string {
  lex.at++
  if (peek(lex) !== '<') return '<'
  lex.at++
  let text = '<<'
  while (/^[ \t\r\n]$/.test(peek(lex))) text += take(lex)
  return text
}

function singleQuoted(lex: Lexer): string {
  const end = lex.source.indexOf("'", lex.at + 1)
  if (end < 0) throw new ExpansionError('a single quote is not closed')
  const text = lex.source.slice(lex.at + 1, end)
  lex.at = end + 1
  return lex.raw ? `'${text}'` : text
}

function doubleQuoted(lex: Lexer, keepEscapes: boolean): string {
  const quote = lex.raw ? '"' : ''
  let text = quote
  lex.at++
  for (;;) {
    const char = peek(lex)
    if (char === '') throw new ExpansionError('a double quote is not closed')
    if (char === '"') {
      lex.at++
      return text + quote
    }
    if (char === '$') text += variable(lex)
    else if (char === lex.escapeChar) {
      lex.at++
      const next = peek(lex)
      const escapes = next === '"' || next === '$' || next === lex.escapeChar
      text += `${keepEscapes || (!escapes && next !== '') ? char : ''}${escapes ? take(lex) : ''}`
    } else text += take(lex)
  }
}

function variable(lex: Lexer): string {
  lex.at++
  if (peek(lex) !== '{') {
    const name = variableName(lex)
    if (name === '') return '$'
    return lex.lookup(name) ?? (lex.raw ? `$${name}` : '')
  }
  lex.at++
  if (/^[{}:]?$/.test(peek(lex))) throw new ExpansionError('bad substitution')
  const name = variableName(lex)
  const value = lex.lookup(name)
  let operator = take(lex)
  if (operator === '}') return value ?? (lex.raw ? `\${${name}}` : '')
  if (operator === '/') return replaced(lex, name, value)
  if (operator === ':') operator += take(lex)
  if (!/^(?:[+\-?#%]|:[^#%]?)$/.test(operator)) throw new ExpansionError(`\${${name}${operator} is not supported`)
  const word = joined(pieces(lex, '}', /^[#%]$/.test(operator)))
  if (lex.raw && value === undefined) return `\${${name}${operator}${word}}`
  return modified(name, value, operator, word)
}

function modified(name: string, value: string | undefined, operator: string, word: string): string {
  const present = operator.startsWith(':') && value === '' ? undefined : value
  switch (operator.slice(-1)) {
    case '-':
      return present ?? word
    case '+':
      return present === undefined ? '' : word
    case '?':
      if (present === undefined) throw new ExpansionError(`${name}: ${word || 'is not allowed to be unset'}`)
      return present
    case '#':
      return trimmedPrefix(value ?? '', word, '#')
    case '%':
      return reversed(trimmedPrefix(reversed(value ?? ''), word, '%'))
    default:
      throw new ExpansionError(`\${${name}${operator} is not supported`)
  }
}

function replaced(lex: Lexer, name: string, value: string | undefined): string {
  const all = peek(lex) === '/'
  if (all) lex.at++
  const pattern = joined(pieces(lex, '/', true))
  const text = joined(pieces(lex, '}', true))
  if (lex.raw && value === undefined) return `\${${name}/${pattern}/${text}}`
  return (value ?? '').replace(new RegExp(shellPattern(pattern, true), all ? 'gs' : 's'), () => text)
}

/** A doubled operator (`##`, `%%`) takes the longest match. For suffixes value and pattern are read backwards. */
function trimmedPrefix(value: string, word: string, operator: '#' | '%'): string {
  const greedy = word.startsWith(operator)
  const pattern = shellPattern(greedy ? word.slice(1) : word, greedy, operator === '%')
  return value.replace(new RegExp(`^${pattern}`, 's'), '')
}

function shellPattern(pattern: string, greedy: boolean, backwards = false): string {
  const parts = (pattern.match(/\\.|./gs) ?? []).map((part) => {
    if (part === '*') return greedy ? '.*' : '.*?'
    if (part === '?') return '.'
    return (part.length === 2 ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  })
  return (backwards ? parts.reverse() : parts).join('')
}

function variableName(lex: Lexer): string {
  const [name = ''] = /^(?:\d+|[@*#?$!-]|[\p{L}_][\p{L}\d_]*)/u.exec(lex.source.slice(lex.at)) ?? []
  lex.at += name.length
  return name
}

function joined(found: readonly Piece[]): string {
  return found.map((piece) => piece.text).join('')
}

function reversed(text: string): string {
  return [...text].reverse().join('')
}

function peek(lex: Lexer): string {
  return lex.source.charAt(lex.at)
}

function take(lex: Lexer): string {
  return lex.source.charAt(lex.at++)
}
