import { posix } from 'node:path'
import { type Bystander, bystander } from './bystander.ts'
import type { Instruction } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { isForInstallersOnly, isInstallText, isToolInstallText, putsToolBeside } from './install-text.ts'
import { isRoot } from './root-user.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand, type ShellCommand } from './shell-command.ts'
import type { StageState } from './stage-steps.ts'
import { configuredVariable, writtenSetting } from './tool-settings.ts'
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
  /** Whether the step is one command. */
  readonly isAlone: boolean
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
  /** Runs a program that the step itself installs. */
  readonly needsTool: boolean
}

/**
 * Takes the commands of a RUN apart: installs, and what stands beside them.
 * @param isCacheOurs whether root's cache folder surely holds nothing but what installs leave there
 */
export function stepCommands(
  instruction: Instruction,
  before: Pick<StageState, 'env' | 'workingDir' | 'pythonVersion' | 'user'>,
  isCacheOurs = true,
): StepCommands | CommandObstacle {
  const chain = instruction.json === undefined ? readShellChain(instruction) : undefined
  if (chain !== undefined && 'code' in chain) return chain
  let state: Pick<StageState, 'env' | 'workingDir'> = { env: before.env, workingDir: before.workingDir }
  const installs: InstallCall[] = []
  const environments: VirtualEnvironment[] = []
  const beside: Beside[] = []
  const texts = chain?.commands ?? [instruction.json?.join(' ') ?? '']
  // What a tool brings along lies where it installs: both are looked at together.
  const hasTool = texts.some(isToolInstallText)
  const isInstall = (text: string): boolean =>
    isInstallText(text) && (texts.length === 1 || !isForInstallersOnly(text) || (hasTool && putsToolBeside(text)))
  for (const text of texts) {
    const read = instruction.json
      ? { assignments: {}, words: instruction.json }
      : readShellCommand(text, (name) => state.env[name])
    const command = 'code' in read ? undefined : read
    if (isInstall(text)) {
      if ('code' in read) return read
      const { workingDir } = state
      installs.push({ command: called(read, workingDir), env: { ...state.env, ...read.assignments }, workingDir })
      continue
    }
    const made = command && madeEnvironment(called(command, state.workingDir), state.workingDir, before.pythonVersion)
    if (made !== undefined) environments.push(made)
    const isConfigured = command !== undefined && configuredVariable(command) !== undefined
    // Where the step brings the tool as well, the tool's settings are written in its place, once.
    const isEarly = isConfigured && texts.some(putsToolBeside)
    const isOnly = texts.filter((one) => /\bpoetry\s+config\b/.test(one)).length === 1
    const written = isEarly && isOnly && isRoot(before.user) ? writtenSetting(command, state.env) : undefined
    const isKnown = made !== undefined || isInstallText(text)
    const meaning: Bystander = isKnown
      ? { kind: 'independent' }
      : bystander({ text, command }, state.workingDir, '/', state.env)
    const hasEffect = isKnown || !isWithoutEffect(meaning, isCacheOurs)
    beside.push({
      text: written ?? text,
      command,
      state,
      hasEffect,
      isKnown,
      place: installs.length,
      needsTool: isEarly && written === undefined,
    })
    if (meaning.kind !== 'settings') continue
    state = { env: { ...state.env, ...meaning.env }, workingDir: meaning.workingDir ?? state.workingDir }
  }
  return {
    installs,
    environments,
    isAlone: texts.length === 1,
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

function isWithoutEffect(meaning: Bystander, isCacheOurs: boolean): boolean {
  if (meaning.kind === 'settings') return meaning.stays !== true
  return meaning.kind === 'nothing' || (meaning.kind === 'clears-cache' && isCacheOurs)
}

function conflictOf(beside: readonly Beside[], target: string): CommandObstacle | undefined {
  const unknown = beside.find(
    ({ text, command, state, isKnown, needsTool }) =>
      needsTool || (!isKnown && bystander({ text, command }, state.workingDir, target, state.env).kind === 'unknown'),
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
