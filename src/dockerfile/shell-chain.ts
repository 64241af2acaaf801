import type { Instruction } from './dockerfile.ts'
import type { ShellObstacle } from './shell-command.ts'

/** Commands that run one after another and stop at the first that fails. */
export interface ShellChain {
  /** Each command's own text, trimmed. */
  readonly commands: readonly string[]
}

/** How a command is joined to the one before it. */
type Joint = '&&' | '||' | '|' | ';' | 'line'

/** A command of a script with how it is joined to the one before it. */
export interface Piece {
  readonly joint: Joint
  readonly text: string
}

const KEYWORDS = /^(?:if|then|else|elif|fi|for|while|until|do|done|case|esac|function|select|\{|\}|!|\()(?:\s|$)/
/** `set -e`, `set -eux`, `set -o errexit`: a script stops at the first command that fails. */
const STOPS_AT_FAILURE = /^set\s+(?:-[a-z]*e[a-z]*|-o\s+errexit)(?:\s|$)/

/**
 * Takes the shell text of a RUN apart into commands, where they are simply a chain: joined by `&&`, or by `;` and line
 * ends behind a `set -e`. Anything else (`||`, `&`, conditions, loops) decides in its own way what is run.
 * @returns an obstacle that says what else there is; one command alone is never an obstacle here.
 */
export function readShellChain({ rest, heredocs }: Instruction): ShellChain | ShellObstacle {
  const [script, ...more] = heredocs
  if (script === undefined) return chainOf(split(rest, false, false))
  if (more.length > 0 || !/^<<-?(["']?)\w+\1$/.test(rest.trim())) return several('a heredoc that is given to a program')
  if (/^<<-/.test(rest.trim())) return several('a heredoc whose tabs are taken off')
  if (/^\s*#!/.test(script.content)) return several('a script for a program of its own (#!)')
  return chainOf(split(script.content, true, false))
}

/**
 * All commands that the shell text of a RUN may run, whichever of them it does run: alternatives, conditions and pipes
 * are taken apart. For questions to which every command has the same answer.
 * @returns undefined where that can't be told: loops, functions, subshells, scripts for other programs.
 */
export function allCommands(run: Pick<Instruction, 'rest' | 'heredocs'>): readonly Piece[] | undefined {
  const commands = scriptPieces(run)
    ?.map(({ joint, text }) => ({ joint, text: text.replace(/^(?:(?:if|elif|then|else|!)\s+)+/, '') }))
    .filter(({ text }) => !/^(?:fi|then|else)$/.test(text))
  return commands?.some(({ text }) => KEYWORDS.test(text)) === true ? undefined : commands
}

/** The text of a RUN at all its joints, keywords as the first words of commands; undefined for scripts of other programs. */
export function scriptPieces({ rest, heredocs }: Pick<Instruction, 'rest' | 'heredocs'>): readonly Piece[] | undefined {
  const [script, ...more] = heredocs
  if (script !== undefined && (more.length > 0 || !/^<<(["']?)\w+\1$/.test(rest.trim()))) return undefined
  if (script !== undefined && /^\s*#!/.test(script.content)) return undefined
  const pieces = script === undefined ? split(rest, false, true) : split(script.content, true, true)
  return 'code' in pieces ? undefined : pieces
}

/** The text that pieces were taken from, in one form. */
export function joinPieces(pieces: readonly Piece[]): string {
  const joints: Readonly<Record<Joint, string>> = { '&&': ' && ', '||': ' || ', '|': ' | ', ';': '; ', line: '\n' }
  return pieces.map(({ joint, text }, index) => `${index === 0 ? '' : joints[joint]}${text}`).join('')
}

function chainOf(pieces: readonly Piece[] | ShellObstacle): ShellChain | ShellObstacle {
  if ('code' in pieces) return pieces
  if (pieces.length > 1) {
    const keyword = pieces.find(({ text }) => KEYWORDS.test(text))
    if (keyword !== undefined) return several(`${keyword.text.split(/\s/)[0]} …`)
  }
  let stops = false
  for (const [index, { joint, text }] of pieces.entries()) {
    if (index > 0 && joint !== '&&' && !stops) {
      const by = joint === ';' ? '; ' : 'line ends '
      return several(`${by}without set -e before, so that a command that fails is passed over`)
    }
    stops ||= STOPS_AT_FAILURE.test(text)
    if (/^set\s+\+/.test(text)) return several('set +…')
  }
  return { commands: pieces.map(({ text }) => text) }
}

/** @param all whether alternatives and pipes are taken apart as well, instead of being an obstacle or part of a command */
function split(source: string, isScript: boolean, all: boolean): readonly Piece[] | ShellObstacle {
  const pieces: Piece[] = []
  let joint: Joint = '&&'
  let text = ''
  const end = (next: Joint): void => {
    if (text.trim() !== '') pieces.push({ joint, text: text.trim() })
    joint = next
    text = ''
  }
  for (let at = 0; at < source.length; ) {
    const char = source.charAt(at)
    const quoted = quotedLength(source, at)
    if (quoted === undefined)
      return { code: 'shell-syntax', sentence: 'a quote or bracket of the command is not closed' }
    if (char === '\\' && source.charAt(at + 1) === '\n') at += 2
    else if (quoted > 0) {
      text += source.slice(at, at + quoted)
      at += quoted
    } else if (source.startsWith('&&', at)) {
      end('&&')
      at += 2
      // A line may end behind it.
      while (/\s/.test(source.charAt(at))) at++
    } else if (source.startsWith('||', at)) {
      if (!all) return several('||')
      end('||')
      at += 2
    } else if (char === '&' && source.charAt(at - 1) !== '>' && source.charAt(at + 1) !== '>') return several('&')
    else if (char === '|' && all) {
      end('|')
      at++
    } else if (char === ';') {
      if (source.charAt(at + 1) === ';') return several(';;')
      end(';')
      at++
    } else if (char === '\n' && isScript) {
      end('line')
      at++
    } else if (char === '#' && isScript && /^\s*$/.test(text.slice(-1))) {
      while (at < source.length && source.charAt(at) !== '\n') at++
    } else if (source.startsWith('<<', at)) return several('a heredoc within the script')
    else {
      text += char
      at++
    }
  }
  end('&&')
  return pieces
}

/** Length of what is quoted, escaped or in brackets at a place; 0 when nothing begins there, undefined when it has no end. */
function quotedLength(source: string, at: number): number | undefined {
  const char = source.charAt(at)
  if (char === '\\') return Math.min(2, source.length - at)
  if (char === "'") return lengthTo(source.indexOf("'", at + 1), at)
  if (char === '`') return lengthTo(source.indexOf('`', at + 1), at)
  if (char === '"') {
    for (let end = at + 1; end < source.length; end++) {
      if (source.charAt(end) === '\\') end++
      else if (source.charAt(end) === '"') return end + 1 - at
    }
    return undefined
  }
  if (source.startsWith('$(', at) || source.startsWith('${', at)) {
    const close = source.charAt(at + 1) === '(' ? ')' : '}'
    for (let end = at + 2; end < source.length; ) {
      if (source.charAt(end) === close) return end + 1 - at
      const inner = quotedLength(source, end)
      if (inner === undefined) return undefined
      end += Math.max(1, inner)
    }
    return undefined
  }
  return 0
}

function lengthTo(end: number, at: number): number | undefined {
  return end < 0 ? undefined : end + 1 - at
}

function several(what: string): ShellObstacle {
  return {
    code: 'several-commands',
    sentence: `the step runs several commands (${what}); give the install a RUN of its own`,
  }
}
