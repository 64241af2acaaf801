import type { Instruction } from './dockerfile.ts'
import { runMounts } from './run-mounts.ts'
import { joinPieces, type Piece, scriptPieces } from './shell-chain.ts'
import { isUsualShell, readShellCommand } from './shell-command.ts'

/** What decides the conditions of a RUN. */
export interface RunSurroundings {
  /** ENV and ARG. */
  readonly env: Readonly<Record<string, string>>
  /** ARGs that were declared and have no value: the shell finds nothing in them. */
  readonly unset: ReadonlySet<string>
  readonly shell: readonly string[] | undefined
}

/** Variables that the shell or the builder sets by itself, whatever the Dockerfile says. */
const OF_THE_SHELL =
  /^(?:_|HOME|HOSTNAME|HOSTTYPE|MACHTYPE|OSTYPE|PATH|OLDPWD|PWD|SHLVL|E?UID|PPID|GROUPS|IFS|OPT\w+|SHELL\w*|TERM|LINENO|LINES|COLUMNS|RANDOM|SRANDOM|SECONDS|EPOCH\w+|DIRSTACK|PIPESTATUS|FUNCNAME|BASH\w*|PS\d)$/

/**
 * A RUN without its conditions, where build arguments and variables of the Dockerfile alone decide them:
 * `if [ "$DEV" = "true" ]; then …; fi` is what it runs, or `:` where that is nothing. All else stays as it is.
 */
export function decidedRun(run: Instruction, around: RunSurroundings): Instruction {
  const [script] = run.heredocs
  const text = script?.content ?? run.rest
  if (run.json !== undefined || !/\bif\s/.test(text) || !isPlainScript(run, text, around)) return run
  const first = scriptPieces(run)
  if (first === undefined) return run
  let pieces = first
  for (let next = decideOne(pieces, text, around); next !== undefined; next = decideOne(pieces, text, around)) {
    pieces = next
  }
  if (pieces === first) return run
  const decided = joinPieces(pieces)
  if (script === undefined) return { ...run, rest: decided }
  return { ...run, heredocs: [{ ...script, content: `${decided}\n` }] }
}

/** Nothing but the text itself can set variables. */
function isPlainScript(run: Instruction, text: string, { env, shell }: RunSurroundings): boolean {
  const hasSecret = runMounts(run).some(({ type }) => type === 'secret')
  return (
    isUsualShell(shell) &&
    env.BASH_ENV === undefined &&
    !hasSecret &&
    !/\b(?:eval|source|read|set\s+-a)\b|(?:^|[\s;&|])\.\s/.test(text)
  )
}

/** Decides the first condition that can be; undefined when there is none. */
function decideOne(pieces: readonly Piece[], text: string, around: RunSurroundings): readonly Piece[] | undefined {
  for (const [start, { text: head, joint }] of pieces.entries()) {
    const [, condition] = /^if\s+(.*)$/s.exec(head) ?? []
    const found = condition === undefined ? undefined : branchesOf(pieces, start)
    const holds = condition === undefined || found === undefined ? undefined : evaluate(condition, text, around)
    if (found === undefined || holds === undefined) continue
    const branch = holds ? found.body : found.otherwise
    const taken = branch.length === 0 ? [{ joint, text: ':' }] : branch
    const next = pieces[found.end + 1]
    const isInList = (start > 0 && joint === '&&') || next?.joint === '&&'
    const isOwn = (start === 0 || joint !== '|') && (joint !== '||' || start === 0)
    const isFollowed = next === undefined || (next.joint !== '|' && next.joint !== '||')
    // In a list of `&&` a body of several commands would be another thing without its `fi`.
    const isList = taken.slice(1).every((piece) => piece.joint === '&&')
    if (!isOwn || !isFollowed || (isInList && !isList)) continue
    const spliced = taken.map((piece, index) => (index === 0 ? { ...piece, joint } : piece))
    return [...pieces.slice(0, start), ...spliced, ...pieces.slice(found.end + 1)]
  }
  return undefined
}

interface Branches {
  readonly body: readonly Piece[]
  readonly otherwise: readonly Piece[]
  /** Index of the `fi`. */
  readonly end: number
}

/** The branches of an `if` whose condition is one command, without `elif`. */
function branchesOf(pieces: readonly Piece[], start: number): Branches | undefined {
  const branches: { body: Piece[]; otherwise: Piece[] } = { body: [], otherwise: [] }
  let into: Piece[] | undefined
  let depth = 0
  for (let at = start + 1; at < pieces.length; at++) {
    const piece = pieces[at]
    if (piece === undefined) return undefined
    const [, keyword, rest = ''] = /^(then|else|elif|fi)(?:\s+(.*))?$/s.exec(piece.text) ?? []
    const isOwn = depth === 0 && keyword !== undefined
    if (isOwn && keyword === 'fi') return rest === '' && into !== undefined ? { ...branches, end: at } : undefined
    if (isOwn && (keyword === 'elif' || (keyword === 'then') !== (into === undefined))) return undefined
    if (isOwn && piece.joint !== ';' && piece.joint !== 'line') return undefined
    if (isOwn) into = keyword === 'then' ? branches.body : branches.otherwise
    if (into === undefined) return undefined
    const text = isOwn ? rest : piece.text
    if (/^(?:(?:then|else)\s+)?if\s/.test(text)) depth++
    else if (keyword === 'fi') depth--
    if (text !== '') into.push({ ...piece, text })
  }
  return undefined
}

/** Whether a condition holds; undefined where only the shell can tell. */
function evaluate(condition: string, text: string, { env, unset, shell }: RunSurroundings): boolean | undefined {
  const [, not] = /^(!\s+)?/.exec(condition) ?? []
  const plain = condition.slice(not?.length ?? 0).trim()
  const [, bracketed, tested] = /^(?:\[\s+(.*)\s+\]|test\s+(.*))$/s.exec(plain) ?? []
  const read = readShellCommand(bracketed ?? tested ?? '', (name) =>
    OF_THE_SHELL.test(name) || isAssigned(name, text) ? undefined : (env[name] ?? (unset.has(name) ? '' : undefined)),
  )
  if ('code' in read || Object.keys(read.assignments).length > 0) return undefined
  const holds = compare(read.words, /\bbash$/.test(shell?.[0] ?? ''))
  return holds === undefined || not === undefined ? holds : !holds
}

/** POSIX `test` for strings. `==` is bash's own; in dash it is an error. */
function compare(words: readonly string[], isBash: boolean): boolean | undefined {
  const [first = '', operator = '', third = ''] = words
  if (words.length === 2 && first === '-n') return operator !== ''
  if (words.length === 2 && first === '-z') return operator === ''
  if (words.length !== 3) return undefined
  if (operator === '=' || (operator === '==' && isBash)) return first === third
  return operator === '!=' ? first !== third : undefined
}

/** Whether a script names a variable otherwise than to read it. */
function isAssigned(name: string, text: string): boolean {
  const others = text.replaceAll(new RegExp(`\\$(?:${name}\\b|\\{${name}\\})`, 'g'), '')
  return new RegExp(`\\b${name}\\b`).test(others)
}
