import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { InstallStep, LockedProject } from '../dockerfile/dockerfile.ts'
import type { LockPins } from '../python/lock-pins.ts'
import { isPackaged } from '../python/project-file.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'
import type { IndexSettings, ResolvedPackage } from '../python/resolution.ts'
import { readToolLock } from '../python/tool-lock.ts'
import { askForWheels } from './ask-for-wheels.ts'
import { lockOfRequirements } from './lock-of-requirements.ts'
import { type LockQuestion, platformOf } from './lock-question.ts'
import { lockSource } from './lock-source.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'
import type { Source } from './source.ts'

type ToolProject = Exclude<LockedProject, { tool: 'uv' }>

/**
 * The packages of a lock of poetry, pdm or pipenv: the lock tells the versions and hashes, the index their wheels. Where
 * pip has put packages into the same place before, such as the tool itself, the lock's come to lie over them.
 * @param question its steps: pip's first
 */
export async function lockOfTool(project: ToolProject, question: LockQuestion): Promise<StageLockOutcome> {
  const { steps, python, source, tools, installerImage } = question
  const own = steps.filter((step) => step.project !== undefined)
  const texts = await readTexts(project, source)
  if (texts === undefined) return lockRefusal(`${project.lockFile.contextPath} can't be read`)
  const { fullVersion } = python
  // Markers and the lock itself may ask for it.
  if (fullVersion === undefined) return lockRefusal('the exact version of Python is not known', 'python-unknown')
  const target = { pythonVersion: fullVersion, platform: platformOf(tools) }
  const checked = { ...texts, isChecked: project.lock === 'checked' }
  const pins = readToolLock(project.tool, checked, project.selection, target)
  if (pins.kind === 'failed') return lockRefusal(pins.reason)
  const settings = settingsOf(pins, own[0]?.settings)
  if (settings === undefined) return lockRefusal('the lock and the command name indexes of their own')
  const wanted = project.hasHashes ? pins.pins : pins.pins.map((pin) => ({ ...pin, hashes: [] }))
  const answer = await askForWheels(wanted, settings, question)
  if (answer.kind === 'failed') return lockRefusal(answer.reason)
  const { packages } = answer.resolution
  const unbuilt = [...answer.unbuilt, ...pins.unbuilt, ...itself(project, texts.project, own)]
  const name = posix.basename(project.lockFile.contextPath)
  const note = `${packages.length} packages of ${name}, wheels ${lockSource(answer)}`
  const files = [join(source.context, project.lockFile.contextPath)]
  const locked = {
    kind: 'locked',
    packages,
    unbuilt,
    settings,
    installerImage,
    files,
    note,
    shared: answer.shared,
  } as const
  const pipSteps = steps.filter(installsWithPip).map((step) => ({ ...step, project: undefined }))
  if (pipSteps.length === 0) return locked
  const below = await lockOfRequirements({ ...question, steps: pipSteps })
  if (below.kind === 'refused') return below
  const [built] = below.unbuilt
  if (built !== undefined) return lockRefusal(built.reason, 'not-only-wheels')
  return {
    ...locked,
    packages: laidOver(below.packages, packages),
    below: below.packages,
    // What pip brings was not compared with the lock's.
    shared: { ...answer.shared, isComplete: false },
    note: `${note}; ${below.note}`,
  }
}

/** Whether pip installs something in the step, too. */
function installsWithPip({ packages, requirementFiles, locals }: InstallStep): boolean {
  return packages.length + requirementFiles.length + locals.length > 0
}

async function readTexts(
  { lockFile, projectFile }: LockedProject,
  { context }: Source,
): Promise<{ readonly lock: string; readonly project: string } | undefined> {
  const read = [lockFile, projectFile].map(({ contextPath }) => readFile(join(context, contextPath), 'utf8'))
  const [lock, project] = await Promise.all(read).catch(() => [])
  return lock === undefined || project === undefined ? undefined : { lock, project }
}

/**
 * Any index may serve a file whose hash is known; the default one is first where the lock takes packages from it.
 * @param given of a command that installs what was exported from the lock
 */
function settingsOf(
  { indexes }: Extract<LockPins, { kind: 'pins' }>,
  given: IndexSettings | undefined,
): IndexSettings | undefined {
  const named = indexes.filter((url) => url !== undefined)
  const isGiven =
    given !== undefined && (given.indexUrl ?? [...given.extraIndexUrls, ...given.findLinks][0]) !== undefined
  if (isGiven) return named.length === 0 ? given : undefined
  const [first, ...more] = named
  const isOwn = named.length === indexes.length
  return {
    indexUrl: isOwn ? first : undefined,
    extraIndexUrls: isOwn ? more : named,
    findLinks: [],
    preReleases: false,
  }
}

/** The project itself, where one of the steps installs it. */
function itself(project: ToolProject, text: string, steps: readonly InstallStep[]): readonly UnbuiltPackage[] {
  const isWanted = steps.some((step) => step.project?.leavesOut === 'nothing')
  if (!isWanted || !isPackaged(text)) return []
  const reason = `${project.tool} installs the project itself, which is built from its source`
  return [{ name: '', folder: '.', reason }]
}

/** By name, the upper ones in the place of those below them. */
function laidOver(below: readonly ResolvedPackage[], above: readonly ResolvedPackage[]): readonly ResolvedPackage[] {
  const all = new Map([...below, ...above].map((entry) => [entry.name, entry]))
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
