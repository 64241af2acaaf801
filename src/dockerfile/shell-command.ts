import type { RefusalCode } from './dockerfile.ts'
import type { Lookup } from './word-expansion.ts'

/** One command without any shell features but quotes and known variables. */
export interface ShellCommand {
  /** `NAME=value` words before the program. */
  readonly assignments: Readonly<Record<string, string>>
  readonly words: readonly string[]
}

/** Why a text is no such command. */
export interface ShellObstacle {
  readonly code: Extract<RefusalCode, 'several-commands' | 'shell-syntax'>
  readonly sentence: string
}

/** Whether a SHELL, undefined for the usual one, reads plain words and `&&` as sh does. */
export function isUsualShell(shell: readonly string[] | undefined): boolean {
  if (shell === undefined) return true
  const [program = '', ...options] = shell
  const isShell = /^(?:\/bin\/|\/usr\/bin\/)?(?:ba|da)?sh$/.test(program)
  return (
    isShell && /^(?:-[euxo]*c|(?:-[euxo]+|-o|pipefail|errexit|errtrace|nounset|xtrace|-c| )+)$/.test(options.join(' '))
  )
}

interface Reader {
  readonly source: string
  at: number
  readonly lookup: Lookup
}

/** A word while it is read: undefined `text` means that none has begun. */
interface Word {
  text: string
  /** Characters outside of quotes, to look for patterns in. */
  bare: string
  /** Whether it is a word even when nothing is in it. */
  isQuoted: boolean
}

/**
 * Reads the text of a RUN as POSIX `sh` would (shell command language, chapter 2), as far as it is one plain command.
 * Everything whose meaning depends on the machine it runs on, or that would be more than one command, is an obstacle.
 * @param lookup variables of the build; the shell's own are not known.
 */
export function readShellCommand(source: string, lookup: Lookup): ShellCommand | ShellObstacle {
  const reader: Reader = { source: source.trim(), at: 0, lookup }
  const words: Word[] = []
  while (reader.at < reader.source.length) {
    const char = reader.source.charAt(reader.at)
    if (/\s/.test(char)) {
      if (char === '\n') return several('a line break')
      reader.at++
      continue
    }
    const read = readWord(reader)
    if ('code' in read) return read
    words.push(...read.filter(({ text, isQuoted }) => isQuoted || text !== ''))
  }
  const assignments: Record<string, string> = {}
  let first = 0
  for (const { text, bare } of words) {
    const equals = /^[A-Za-z_]\w*=/.exec(bare)?.[0].length
    if (equals === undefined) break
    assignments[text.slice(0, equals - 1)] = text.slice(equals)
    first++
  }
  return { assignments, words: words.slice(first).map(({ text }) => text) }
}

/** One word, or several where a variable without quotes holds spaces. */
function readWord(reader: Reader): readonly Word[] | ShellObstacle {
  let word: Word = { text: '', bare: '', isQuoted: false }
  const words = [word]
  const begin = reader.at
  while (reader.at < reader.source.length) {
    const char = reader.source.charAt(reader.at)
    if (/\s/.test(char)) break
    const obstacle = obstacleAt(reader, begin)
    if (obstacle !== undefined) return obstacle
    if (char === "'") {
      const end = reader.source.indexOf("'", reader.at + 1)
      if (end < 0) return syntax('a quote is not closed')
      word.isQuoted = true
      word.text += reader.source.slice(reader.at + 1, end)
      reader.at = end + 1
    } else if (char === '"') {
      const quoted = readDoubleQuotes(reader)
      if (typeof quoted !== 'string') return quoted
      word.isQuoted = true
      word.text += quoted
    } else if (char === '\\') {
      word.text += reader.source.charAt(reader.at + 1)
      reader.at += 2
    } else if (char === '$') {
      const value = readVariable(reader)
      if (typeof value !== 'string') return value
      // In assignments a shell doesn't take a value apart, and some don't in `export`.
      const isWhole = word.bare.includes('=') || /\b(?:IFS|export)\b/.test(reader.source)
      if (isWhole && /\s/.test(value)) return syntax('an unquoted variable holds spaces in an assignment')
      for (const [index, text] of value.split(/\s+/).entries()) {
        if (index > 0) {
          word = { text: '', bare: '', isQuoted: false }
          words.push(word)
        }
        word.text += text
        // Patterns are looked for in values, too.
        if (/[*?[]/.test(text)) word.bare += text
      }
    } else {
      word.text += char
      word.bare += char
      reader.at++
    }
  }
  return words.map(patternIn).find((obstacle) => obstacle !== undefined) ?? words
}

function readDoubleQuotes(reader: Reader): string | ShellObstacle {
  let text = ''
  for (reader.at++; reader.at < reader.source.length; ) {
    const char = reader.source.charAt(reader.at)
    const next = reader.source.charAt(reader.at + 1)
    if (char === '"') {
      reader.at++
      return text
    }
    if (char === '`') return syntax('it runs a command within the command (`…`)')
    if (char === '$') {
      const value = readVariable(reader)
      if (typeof value !== 'string') return value
      text += value
    } else if (char === '\\' && /[$`"\\]/.test(next)) {
      text += next
      reader.at += 2
    } else {
      text += char
      reader.at++
    }
  }
  return syntax('a quote is not closed')
}

function readVariable(reader: Reader): string | ShellObstacle {
  const rest = reader.source.slice(reader.at)
  const [whole, plain, braced] = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/.exec(rest) ?? []
  if (whole === undefined) return syntax(`it uses ${rest.slice(0, 2)}, which only the shell can work out`)
  const name = plain ?? braced ?? ''
  const value = reader.lookup(name)
  if (value === undefined) return syntax(`it uses $${name}, which is no ENV or ARG with a known value`)
  reader.at += whole.length
  return value
}

function obstacleAt({ source, at }: Reader, begin: number): ShellObstacle | undefined {
  const char = source.charAt(at)
  if (char === '&' || char === ';' || char === '|') {
    return several(source.startsWith(char + char, at) ? char + char : char)
  }
  if (char === '(' || char === ')') return syntax('it has a subshell')
  if (char === '`') return syntax('it runs a command within the command (`…`)')
  if (char === '#' && at === begin) return syntax('it ends in a shell comment')
  if (char === '<' || char === '>') {
    const name = source.slice(begin, at)
    const version = /^\d*$/.test(name) ? undefined : /^[<>]=?[\w.*]+/.exec(source.slice(at))?.[0]
    return syntax(
      version === undefined
        ? `it redirects with ${char}`
        : `${name}${version} is not quoted, so the shell takes ${version} for a redirection into a file`,
    )
  }
  return undefined
}

/** Brackets after a package's name or folder are taken for extras: a file whose name they would match is not to be expected. */
function patternIn({ bare }: Word): ShellObstacle | undefined {
  const rest = bare.replace(/^((?:\.{0,2}\/)*(?:[A-Za-z0-9][\w./-]*|\.))\[[\w.,-]*\]/, '$1')
  const [pattern] = /[*?[\]{}]/.exec(rest) ?? []
  if (pattern !== undefined) return syntax(`${bare} has ${pattern} outside of quotes, a pattern for file names`)
  return bare.startsWith('~') ? syntax('~ stands for a home directory') : undefined
}

function several(separator: string): ShellObstacle {
  return {
    code: 'several-commands',
    sentence: `the step runs several commands (${separator}); give the install a RUN of its own`,
  }
}

function syntax(what: string): ShellObstacle {
  return { code: 'shell-syntax', sentence: `the command is more than plain words: ${what}` }
}
