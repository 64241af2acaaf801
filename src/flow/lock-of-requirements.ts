import type { InstallStep } from '../dockerfile/dockerfile.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'
import { mergeSettings } from '../python/read-requirements.ts'
import type { RequirementLine } from '../python/requirement-line.ts'
import type { IndexSettings, ResolvedPackage } from '../python/resolution.ts'
import { type InstalledPackage, resolve } from '../python/resolve.ts'
import type { SharedFiles } from '../python/shared-files.ts'
import { askForWheels } from './ask-for-wheels.ts'
import { collectRequirements } from './collect-requirements.ts'
import { type LockQuestion, type LockTarget, lockSubject } from './lock-question.ts'
import { type Answered, lockSource } from './lock-source.ts'
import { type LockRefusal, lockRefusal, type StageLockOutcome } from './locked-stage.ts'

type TurnAnswer = Answered & { readonly shared: SharedFiles }

/** What a command has installed when its turn is over. */
interface TurnLock {
  readonly kind: 'locked'
  readonly packages: readonly ResolvedPackage[]
  readonly unbuilt: readonly UnbuiltPackage[]
  readonly settings: IndexSettings
  readonly paths: readonly string[]
  /** Undefined where nothing was to be resolved. */
  readonly answered: TurnAnswer | undefined
}

/**
 * The packages of requirements. Each command is resolved in its turn: it keeps what those before it have installed where
 * that will do, and takes the place of what will not, without asking whether the others still fit, as installers do.
 */
export async function lockOfRequirements(question: LockQuestion): Promise<StageLockOutcome> {
  const packages = new Map<string, ResolvedPackage>()
  const turns: TurnLock[] = []
  for (const turn of question.steps.flatMap(turnsOf)) {
    const lock = await lockTurn(turn, [...packages.values()], question)
    if (lock.kind === 'refused') return lock
    turns.push(lock)
    for (const entry of lock.packages) packages.set(entry.name, entry)
  }
  const settings = sumOf(turns.map((turn) => turn.settings))
  if (settings === undefined)
    return lockRefusal('the files of several installs name indexes of their own', 'unknown-option')
  const unbuilt = turns.flatMap((turn) => turn.unbuilt)
  const answered = turns.flatMap((turn) => turn.answered ?? [])
  const [local] = unbuilt
  if (answered.length === 0 && local !== undefined) return lockRefusal(local.reason, 'not-only-wheels')
  const sorted = [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    kind: 'locked',
    packages: sorted,
    unbuilt,
    settings,
    shared: await sharedOf(answered, sorted, settings, question),
    installerImage: question.installerImage,
    files: [...new Set(turns.flatMap(({ paths }) => paths))],
    note: `${packages.size} packages, versions ${lockSource(...answered)}`,
  }
}

/** Of several installs each tells its own: what they share with one another is asked once more. uv's order is chance. */
async function sharedOf(
  answered: readonly TurnAnswer[],
  packages: readonly ResolvedPackage[],
  settings: IndexSettings,
  question: LockQuestion,
): Promise<SharedFiles | undefined> {
  if (question.steps.every(({ installer }) => installer !== 'pip')) return undefined
  const [only, ...more] = answered
  if (only !== undefined && more.length === 0) return only.shared
  const pins = packages.map(({ name, version, hashes }): RequirementLine => {
    return { file: '', line: 0, name, text: `${name}==${version}`, hashes }
  })
  const answer = await askForWheels(pins, settings, question)
  return answer.kind === 'failed' ? { files: [], isComplete: false } : answer.shared
}

interface Turn extends InstallStep {
  readonly upgrades: boolean
}

function turnsOf(step: InstallStep): readonly Turn[] {
  return step.turns.map((turn) => ({ ...step, ...turn }))
}

async function lockTurn(
  turn: Turn,
  there: readonly ResolvedPackage[],
  question: LockQuestion,
): Promise<TurnLock | LockRefusal> {
  const { python, tools } = question
  const wanted = await collectRequirements([turn], question)
  // What is no wheel of an index stays with the step; any other trouble leaves everything as it is.
  const obstacle = wanted.obstacles.find(({ code }) => code !== 'not-only-wheels')
  if (obstacle !== undefined) return lockRefusal(inFile(obstacle), obstacle.code)
  const { requirements, paths } = wanted
  // It fails, and should go on doing so.
  if (turn.installer === 'pip' && requirements.some(isHashed) && !requirements.every(isHashed)) {
    const sentence = `${turn.command} pins hashes of some packages and not of others, which pip refuses`
    return lockRefusal(sentence, 'unknown-option')
  }
  const locals = wanted.obstacles.map((one): UnbuiltPackage => {
    return { name: '', folder: undefined, reason: inFile(one) }
  })
  const settings = mergeSettings(turn.settings, wanted.settings)
  if (requirements.length === 0 && locals.length > 0)
    return { kind: 'locked', packages: [], unbuilt: locals, settings, paths, answered: undefined }
  const installed = keptFrom(there, turn, requirements)
  const resolved = await resolve(
    {
      ...lockSubject(question),
      requirements,
      constraints: [...wanted.constraints, ...shippedConstraints(python)],
      onlyBinary: wanted.onlyBinary,
      settings,
      installer: turn.installer,
      ...(installed.length === 0 ? {} : { installed }),
      ...(turn.noDeps === true ? { noDeps: true } : {}),
    },
    tools.runInstaller,
    tools.store,
  )
  if (resolved.kind === 'failed') return lockRefusal(resolved.reason)
  const { packages } = resolved.resolution
  return { kind: 'locked', packages, unbuilt: [...resolved.unbuilt, ...locals], settings, paths, answered: resolved }
}

/** With `--upgrade` pip looks for newer versions of what it is asked for, uv of everything that this needs as well. */
function keptFrom(
  there: readonly ResolvedPackage[],
  { upgrades, installer }: Turn,
  requirements: readonly RequirementLine[],
): readonly InstalledPackage[] {
  if (upgrades && installer === 'uv') return []
  const named = new Set(upgrades ? requirements.map(({ name }) => name) : [])
  return there.filter(({ name }) => !named.has(name)).map(({ name, version }) => ({ name, version }))
}

/** Settings by which wheels of all turns are found, their hashes being known; undefined where indexes differ. */
function sumOf(all: readonly IndexSettings[]): IndexSettings | undefined {
  const [first, ...more] = all
  if (first === undefined) throw new RangeError('no step')
  if (more.some(({ indexUrl }) => indexUrl !== first.indexUrl)) return undefined
  return more.reduce(mergeSettings, first)
}

function inFile({ file, sentence }: { readonly file: string; readonly sentence: string }): string {
  return file === '' ? sentence : `${file}: ${sentence}`
}

function isHashed({ hashes }: RequirementLine): boolean {
  return hashes.length > 0
}

/** Versions that the base image ships hold for the lock, too; pip would keep them where they will do. */
function shippedConstraints({ shipped }: LockTarget): readonly RequirementLine[] {
  return [...shipped].flatMap(([name, version]) =>
    version === undefined ? [] : [{ file: '', line: 0, name, text: `${name}==${version}`, hashes: [] }],
  )
}
