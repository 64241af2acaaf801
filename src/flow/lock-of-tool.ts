import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { InstallStep, LockedProject } from '../dockerfile/dockerfile.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { glibcRange } from '../python/glibc.ts'
import type { LockPins } from '../python/lock-pins.ts'
import { isPackaged } from '../python/project-file.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'
import type { RequirementLine } from '../python/requirement-line.ts'
import type { IndexSettings, ResolvedPackage } from '../python/resolution.ts'
import { type ResolveRequest, resolve } from '../python/resolve.ts'
import { readToolLock } from '../python/tool-lock.ts'
import { lockSource } from './lock-source.ts'
import type { LockTarget, LockTools, StageLockOutcome } from './locked-stage.ts'
import type { Source } from './source.ts'

/**
 * The packages of a lock of poetry, pdm or pipenv: the lock tells the versions and hashes, the index their wheels. Where
 * pip has put packages into the same place before, such as the tool itself, the lock's come to lie over them.
 * @param steps pip's first
 * @param resolved resolves the packages that pip is asked for
 */
export async function lockOfTool(
  steps: readonly InstallStep[],
  installerImage: string,
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  tools: LockTools,
  resolved: (steps: readonly InstallStep[]) => Promise<StageLockOutcome>,
): Promise<StageLockOutcome> {
  const refused = (sentence: string): StageLockOutcome => ({ kind: 'refused', code: 'resolution-failed', sentence })
  const project = steps.find((step) => step.project !== undefined)?.project
  if (project === undefined || project.tool === 'uv') throw new RangeError('no step has a lock of a tool')
  const own = steps.filter((step) => step.project !== undefined)
  const platform = tools.view.platform ?? 'linux/amd64'
  const lockPath = join(source.context, project.lockFile.contextPath)
  const texts = await readTexts(project, source)
  if (texts === undefined) return refused(`${project.lockFile.contextPath} can't be read`)
  const { fullVersion } = python
  // Markers and the lock itself may ask for it.
  if (fullVersion === undefined)
    return { kind: 'refused', code: 'python-unknown', sentence: 'the exact version of Python is not known' }
  const target = { pythonVersion: fullVersion, platform }
  const checked = { ...texts, isChecked: project.lock === 'checked' }
  const pins = readToolLock(project.tool, checked, project.selection, target)
  if (pins.kind === 'failed') return refused(pins.reason)
  const settings = settingsOf(pins, own[0]?.settings)
  if (settings === undefined) return refused('the lock and the command name indexes of their own')
  const wanted = project.hasHashes ? pins.pins : pins.pins.map((pin) => ({ ...pin, hashes: [] }))
  const answer = await askForWheels(wanted, settings, installerImage, python, inputs, tools)
  if (answer.kind === 'failed') return refused(answer.reason)
  const { packages } = answer.resolution
  const unbuilt = [...answer.unbuilt, ...pins.unbuilt, ...itself(project, texts.project, own)]
  const name = posix.basename(project.lockFile.contextPath)
  const note = `${packages.length} packages of ${name}, wheels ${lockSource(answer)}`
  const locked = { kind: 'locked', packages, unbuilt, settings, installerImage, files: [lockPath], note } as const
  const pipSteps = steps.filter(installsWithPip).map((step) => ({ ...step, project: undefined }))
  if (pipSteps.length === 0) return locked
  const below = await resolved(pipSteps)
  if (below.kind === 'refused') return below
  const [built] = below.unbuilt
  if (built !== undefined) return { kind: 'refused', code: 'not-only-wheels', sentence: built.reason }
  return {
    ...locked,
    packages: laidOver(below.packages, packages),
    below: below.packages,
    note: `${note}; ${below.note}`,
  }
}

/** Asks the index for the wheels of exact versions, by their hashes: nothing is resolved, and the answer is remembered. */
export function askForWheels(
  pins: readonly RequirementLine[],
  settings: IndexSettings,
  image: string,
  { version, glibc }: LockTarget,
  { salt, relock, noCache }: BuildInputs,
  { view, runInstaller, store }: LockTools,
): ReturnType<typeof resolve> {
  const request: ResolveRequest = {
    image,
    pythonVersion: version,
    platform: view.platform ?? 'linux/amd64',
    glibc: glibcRange(glibc),
    requirements: pins,
    constraints: [],
    onlyBinary: [],
    settings,
    installer: 'pip',
    noDeps: true,
    salt,
    relock: relock || noCache,
  }
  return resolve(request, runInstaller, store)
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
function itself(project: LockedProject, text: string, steps: readonly InstallStep[]): readonly UnbuiltPackage[] {
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
