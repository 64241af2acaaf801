import { posix } from 'node:path'
import { type Bystander, bystander } from './bystander.ts'
import type { Instruction } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { isForInstallersOnly, isInstallText } from './install-text.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand, type ShellCommand } from './shell-command.ts'
import type { StageState } from './stage-steps.ts'
import { madeEnvironment, type VirtualEnvironment } from './virtual-environment.ts'

/** An install among the commands of a step, with what it sees. */
export interface InstallCall {
  readonly command: ShellCommand
  /** ENV, ARG, what the step has exported, and the words before the program. */
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
}

/** A step taken apart. */
export interface StepCommands {
  readonly installs: readonly InstallCall[]
  /** Environments that the step makes. */
  readonly environments: readonly VirtualEnvironment[]
  /** Everything but the installs, where it has an effect of its own. */
  readonly remainder: string | undefined
  /** What runs before the last install, besides installs. */
  readonly before: string
  /** Programs that run beside the installs, where their names can be told. */
  readonly programs: readonly string[]
  /** Names the first command that an install into this folder may depend on, or the other way round. */
  readonly conflict: (target: string) => CommandObstacle | undefined
}

interface Beside {
  readonly text: string
  readonly command: ShellCommand | undefined
  readonly state: Pick<StageState, 'env' | 'workingDir'>
  readonly hasEffect: boolean
  /** How many installs stand before it. */
  readonly place: number
  /** Known to be fine whatever the target: it makes an environment, upgrades pip. */
  readonly isKnown: boolean
}

/** Takes the commands of a RUN apart: installs, and what stands beside them. */
export function stepCommands(
  instruction: Instruction,
  before: Pick<StageState, 'env' | 'workingDir' | 'pythonVersion'>,
): StepCommands | CommandObstacle {
  const chain = instruction.json === undefined ? readShellChain(instruction) : undefined
  if (chain !== undefined && 'code' in chain) return chain
  let state: Pick<StageState, 'env' | 'workingDir'> = { env: before.env, workingDir: before.workingDir }
  const installs: InstallCall[] = []
  const environments: VirtualEnvironment[] = []
  const beside: Beside[] = []
  for (const text of chain?.commands ?? [instruction.json?.join(' ') ?? '']) {
    const read = instruction.json
      ? { assignments: {}, words: instruction.json }
      : readShellCommand(text, (name) => state.env[name])
    const command = 'code' in read ? undefined : read
    const isOnly = (chain?.commands.length ?? 1) === 1
    if (isInstallText(text) && (isOnly || !isForInstallersOnly(text))) {
      if ('code' in read) return read
      const { workingDir } = state
      installs.push({ command: called(read, workingDir), env: { ...state.env, ...read.assignments }, workingDir })
      continue
    }
    const made = command && madeEnvironment(called(command, state.workingDir), state.workingDir, before.pythonVersion)
    if (made !== undefined) environments.push(made)
    const isKnown = made !== undefined || isInstallText(text)
    const meaning: Bystander = isKnown
      ? { kind: 'independent' }
      : bystander({ text, command }, state.workingDir, '/', state.env)
    const hasEffect = isKnown || !isWithoutEffect(meaning)
    beside.push({ text, command, state, hasEffect, isKnown, place: installs.length })
    if (meaning.kind !== 'settings') continue
    state = { env: { ...state.env, ...meaning.env }, workingDir: meaning.workingDir ?? state.workingDir }
  }
  return {
    installs,
    environments,
    remainder: remainderOf(beside),
    before: textOf(beside.filter(({ place }) => place < installs.length)),
    programs: beside.flatMap(({ command }) => command?.words[0] ?? []),
    conflict: (target) => conflictOf(beside, target),
  }
}

/** The program as it is found: by its absolute path, and uv by its name, as it is the same tool wherever it lies. */
function called({ words: [program = '', ...rest], assignments }: ShellCommand, workingDir: string): ShellCommand {
  if (!program.includes('/')) return { words: [program, ...rest], assignments }
  const path = posix.resolve(workingDir, program)
  return { words: [posix.basename(path) === 'uv' ? 'uv' : path, ...rest], assignments }
}

function isWithoutEffect({ kind }: Bystander): boolean {
  return kind === 'nothing' || kind === 'settings'
}

function conflictOf(beside: readonly Beside[], target: string): CommandObstacle | undefined {
  const unknown = beside.find(
    ({ text, command, state, isKnown }) =>
      !isKnown && bystander({ text, command }, state.workingDir, target, state.env).kind === 'unknown',
  )
  if (unknown === undefined) return undefined
  const text = unknown.text.replace(/\s+/g, ' ')
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text
  return {
    code: 'several-commands',
    sentence: `the step also runs ${short}, which may need the packages or change them; give the install a RUN of its own`,
  }
}

/** One command line that does the same as the others did, and stops where they would. */
function remainderOf(beside: readonly Beside[]): string | undefined {
  if (!beside.some(({ hasEffect }) => hasEffect)) return undefined
  return textOf(beside)
}

function textOf(beside: readonly Beside[]): string {
  return beside.map(({ text }) => text).join(' && ')
}
