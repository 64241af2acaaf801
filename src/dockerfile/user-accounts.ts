import { posix } from 'node:path'
import { readCopyStep } from './copy-step.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageStep } from './stage-steps.ts'

/** A user that a step of the Dockerfile makes. */
export interface UserAccount {
  readonly name: string
  /** Where the command names it. */
  readonly uid: string | undefined
  /** Absolute. */
  readonly home: string
  /** Whether the home folder is made with the user, and so belongs to it. */
  readonly hasHome: boolean
}

/** Options of useradd and adduser with a value (shadow 4.13, Debian's adduser 3.134). */
const WITH_VALUE = {
  useradd: /^(?:-[bcdefgGkKpRsuZ]|--(?:base-dir|comment|home-dir|home|gid|groups|key|password|shell|skel|uid))$/,
  adduser: /^--(?:home|shell|uid|gid|ingroup|gecos|comment|firstuid|lastuid)$/,
} as const
/** They put the home folder elsewhere, or other files into it. */
const UNUSUAL = /^(?:-[bkKR]|--(?:base-dir|skel|key))$/

/**
 * The users that these steps make with `useradd` and `adduser`. None where another step may have changed the list of
 * users: then only the image tells.
 */
export function userAccounts(steps: readonly StageStep[], graph: StageGraph): readonly UserAccount[] {
  const accounts: UserAccount[] = []
  for (const step of steps) {
    const { instruction, before } = step
    const to = readCopyStep(step, graph)?.destination
    if (to !== undefined && /^\/(?:etc(?:\/(?:passwd|group|skel\b.*))?)?$/.test(to)) return []
    if (instruction.keyword !== 'RUN') continue
    const text = `${instruction.rest}${instruction.heredocs.map(({ content }) => content).join('')}`
    if (/\b(?:userdel|deluser|vipw)\b|\/etc\/(?:passwd|group|skel)\b/.test(text)) return []
    if (/\busermod\b(?!(?:\s+(?:-a|-G|-aG|-Ga|--append|--groups))+\s)/.test(text)) return []
    const chain = readShellChain(instruction)
    const commands = 'code' in chain ? [] : chain.commands
    for (const command of commands.filter((one) => /^(?:\S*\/)?(?:useradd|adduser)\s/.test(one))) {
      const read = readShellCommand(command, (name) => before.env[name])
      const account = 'code' in read ? undefined : madeAccount(read.words)
      if (account !== undefined) accounts.push(account)
    }
  }
  return accounts
}

/** The user that a command makes; undefined where that isn't known for sure. */
export function madeAccount([path = '', ...given]: readonly string[]): UserAccount | undefined {
  const program = posix.basename(path)
  if (program !== 'useradd' && program !== 'adduser') return undefined
  const options = new Map<string, string>()
  const names: string[] = []
  const words = given.flatMap(program === 'useradd' ? separated : joined)
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (!word.startsWith('-')) names.push(word)
    else if (WITH_VALUE[program].test(word)) options.set(word, words[++at] ?? '')
    else options.set(word, '')
  }
  const [name, ...more] = names
  const has = (...some: readonly string[]): boolean => some.some((option) => options.has(option))
  const isUnusual = [...options.keys()].some((option) => UNUSUAL.test(option))
  if (name === undefined || more.length > 0 || isUnusual) return undefined
  const isSystem = program === 'adduser' && has('--system')
  const told = options.get('-d') ?? options.get('--home-dir') ?? options.get('--home')
  const home = told ?? (isSystem ? '/nonexistent' : `/home/${name}`)
  if (!/^\/[\w./-]+$/.test(home)) return undefined
  const hasHome =
    program === 'useradd'
      ? has('-m', '--create-home') && !has('-M', '--no-create-home')
      : !has('--no-create-home', '-H') && (!isSystem || told !== undefined)
  return { name, uid: options.get('-u') ?? options.get('--uid'), home: posix.resolve(home), hasHome }
}

/** `-ms /bin/bash`, `-u1000` and `--uid=1000` word by word. */
function separated(word: string): readonly string[] {
  if (!/^-\w./.test(word)) return joined(word)
  for (let at = 1; at < word.length; at++) {
    if (!WITH_VALUE.useradd.test(`-${word.charAt(at)}`)) continue
    const value = word.slice(at + 1)
    return [...letters(word.slice(1, at + 1)), ...(value === '' ? [] : [value])]
  }
  return letters(word.slice(1))
}

function letters(text: string): readonly string[] {
  return [...text].map((letter) => `-${letter}`)
}

function joined(word: string): readonly string[] {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1
  return equals < 0 ? [word] : [word.slice(0, equals), word.slice(equals + 1)]
}
