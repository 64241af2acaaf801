import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { messageOf } from '../base/errors.ts'
import type { BuildView, InstallStep } from '../dockerfile/dockerfile.ts'
import { locateInContext } from '../dockerfile/locate-in-context.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { exportLock } from '../python/export-lock.ts'
import { glibcRange } from '../python/glibc.ts'
import { projectDependencies } from '../python/project-file.ts'
import { readPylock, type UnbuiltPackage } from '../python/pylock.ts'
import { type CollectedRequirements, mergeSettings, readRequirements } from '../python/read-requirements.ts'
import { type RequirementLine, readRequirement } from '../python/requirement-line.ts'
import { type ResolveRequest, resolve } from '../python/resolve.ts'
import { askForWheels, lockOfTool } from './lock-of-tool.ts'
import { lockSource } from './lock-source.ts'
import type { LockTarget, LockTools, StageLockOutcome } from './locked-stage.ts'
import type { Source } from './source.ts'

/** Finds the exact packages of install steps that belong together: a lock as it is, or one resolution for all. */
export async function lockSteps(
  steps: readonly InstallStep[],
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  tools: LockTools,
): Promise<StageLockOutcome> {
  const [first] = steps
  if (first === undefined) return { kind: 'refused', code: 'environment', sentence: 'there is no step' }
  const installerImage = await tools
    .installerFor(python.version)
    .catch((error: unknown) => ({ reason: messageOf(error) }))
  if (typeof installerImage !== 'string')
    return { kind: 'refused', code: 'resolution-failed', sentence: installerImage.reason }
  if (first.project?.tool === 'uv') return await lockProject(first, installerImage, python, inputs, source, tools)
  const resolved = (some: readonly InstallStep[]): Promise<StageLockOutcome> =>
    resolveSteps(some, installerImage, python, inputs, source, tools)
  if (steps.some(({ project }) => project !== undefined))
    return await lockOfTool(steps, installerImage, python, inputs, source, tools, resolved)
  const given = steps
    .flatMap(({ requirementFiles }) => requirementFiles)
    .find(({ contextPath }) => isPylock(contextPath))
  if (given !== undefined)
    return await givenLock(given.contextPath, steps, installerImage, python, inputs, source, tools)
  return await resolved(steps)
}

/** PEP 751, "File name": pylock.toml or pylock.<name>.toml. */
function isPylock(path: string): boolean {
  return /^pylock(?:\.[^.]+)?\.toml$/.test(posix.basename(path))
}

async function lockProject(
  { project }: InstallStep,
  image: string,
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  { view, runInstaller, store }: LockTools,
): Promise<StageLockOutcome> {
  if (project?.tool !== 'uv') throw new RangeError('the step is no uv sync')
  const folder = posix.dirname(project.projectFile.contextPath)
  const files: Record<string, string> = {}
  for (const path of source.files.files) {
    const below = folder === '.' ? path : posix.relative(folder, path)
    const isWanted = path === project.lockFile.contextPath || posix.basename(path) === 'pyproject.toml'
    if (!isWanted || below.startsWith('..')) continue
    const text = await readFile(join(source.context, path), 'utf8').catch(() => undefined)
    if (text !== undefined) files[path === project.lockFile.contextPath ? 'uv.lock' : below] = text
  }
  const { selection, lock } = project
  const asked = {
    image,
    pythonVersion: python.version,
    platform: view.platform ?? 'linux/amd64',
    glibc: glibcRange(python.glibc),
    files,
    selection,
    lock,
  }
  const answer = await exportLock(
    { ...asked, salt: inputs.salt, relock: inputs.relock || inputs.noCache },
    runInstaller,
    store,
  )
  if (answer.kind === 'failed') return { kind: 'refused', code: 'resolution-failed', sentence: answer.reason }
  const { packages, unbuilt, indexes } = answer.lock
  const [indexUrl, ...extraIndexUrls] = indexes
  return {
    kind: 'locked',
    packages,
    unbuilt,
    settings: { indexUrl, extraIndexUrls, findLinks: [], preReleases: false },
    installerImage: image,
    files: [join(source.context, project.lockFile.contextPath)],
    note: `${packages.length} packages of uv.lock, ${lockSource(answer)}`,
  }
}

async function givenLock(
  path: string,
  steps: readonly InstallStep[],
  installerImage: string,
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  tools: LockTools,
): Promise<StageLockOutcome> {
  const [first, ...more] = steps
  const isAlone =
    first?.requirementFiles.length === 1 && first.packages.length === 0 && first.constraintFiles.length === 0
  if (first === undefined || more.length > 0 || !isAlone)
    return { kind: 'refused', code: 'unknown-option', sentence: `${path} is installed together with other packages` }
  const text = await readFile(join(source.context, path), 'utf8').catch(() => '')
  const glibc = glibcRange(python.glibc)
  const target = {
    pythonVersion: python.fullVersion ?? python.version,
    platform: tools.view.platform ?? 'linux/amd64',
    glibc,
  }
  const read = readPylock(text, target, { isInstalled: true })
  if (read.kind === 'failed') return { kind: 'refused', code: 'resolution-failed', sentence: read.reason }
  const [indexUrl, ...extraIndexUrls] = read.indexes
  const settings = { ...first.settings, indexUrl: indexUrl ?? first.settings.indexUrl, extraIndexUrls }
  const files = [join(source.context, path)]
  const locked = { kind: 'locked', unbuilt: read.unbuilt, settings, installerImage, files } as const
  const note = `${read.packages.length} packages of ${path}`
  if (read.withoutIndex.length === 0) return { ...locked, packages: read.packages, note }
  // Files that the lock names by their URLs alone may lie elsewhere than on an index.
  const pins = read.packages.map(({ name, version, hashes }): RequirementLine => {
    return { file: path, line: 0, name, text: `${name}==${version}`, hashes }
  })
  const answer = await askForWheels(pins, settings, installerImage, python, inputs, tools)
  if (answer.kind === 'failed') return { kind: 'refused', code: 'resolution-failed', sentence: answer.reason }
  const unbuilt = [...read.unbuilt, ...answer.unbuilt]
  return { ...locked, unbuilt, packages: answer.resolution.packages, note: `${note}, wheels ${lockSource(answer)}` }
}

async function resolveSteps(
  steps: readonly InstallStep[],
  installerImage: string,
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  tools: LockTools,
): Promise<StageLockOutcome> {
  const [first] = steps
  if (first === undefined) throw new RangeError('no step')
  const wanted = await readSteps(steps, source, tools.view)
  // What is no wheel of an index stays with the step; any other trouble leaves everything as it is.
  const obstacle = wanted.obstacles.find(({ code }) => code !== 'not-only-wheels')
  if (obstacle !== undefined) {
    const sentence = obstacle.file === '' ? obstacle.sentence : `${obstacle.file}: ${obstacle.sentence}`
    return { kind: 'refused', code: obstacle.code, sentence }
  }
  const half = await halfHashed(steps, wanted.requirements, source, tools.view)
  if (half !== undefined) {
    const sentence = `${half} pins hashes of some packages and not of others, which pip refuses`
    return { kind: 'refused', code: 'unknown-option', sentence }
  }
  const settings = mergeSettings(first.settings, wanted.settings)
  const request: ResolveRequest = {
    image: installerImage,
    pythonVersion: python.version,
    platform: tools.view.platform ?? 'linux/amd64',
    glibc: glibcRange(python.glibc),
    requirements: wanted.requirements,
    constraints: [...wanted.constraints, ...shippedConstraints(python)],
    onlyBinary: wanted.onlyBinary,
    settings,
    installer: first.installer,
    salt: inputs.salt,
    relock: inputs.relock || inputs.noCache,
  }
  const locals = wanted.obstacles.map(({ file, sentence }): UnbuiltPackage => {
    return { name: '', folder: undefined, reason: file === '' ? sentence : `${file}: ${sentence}` }
  })
  if (wanted.requirements.length === 0 && locals.length > 0) {
    return { kind: 'refused', code: 'not-only-wheels', sentence: locals[0]?.reason ?? '' }
  }
  const resolved = await resolve(request, tools.runInstaller, tools.store)
  if (resolved.kind === 'failed') return { kind: 'refused', code: 'resolution-failed', sentence: resolved.reason }
  const { packages } = resolved.resolution
  const note = `${packages.length} packages, versions ${lockSource(resolved)}`
  return {
    kind: 'locked',
    packages,
    unbuilt: [...resolved.unbuilt, ...locals],
    settings,
    installerImage,
    files: wanted.paths,
    note,
  }
}

/** A command of pip that pins hashes of some packages and not of others: it fails, and should go on doing so. */
async function halfHashed(
  steps: readonly InstallStep[],
  all: readonly RequirementLine[],
  source: Source,
  view: BuildView,
): Promise<string | undefined> {
  // With all of one kind no command can have both.
  if (all.every(isHashed) || !all.some(isHashed)) return undefined
  for (const step of steps.filter(({ installer }) => installer === 'pip')) {
    const { requirements } = await readSteps([step], source, view)
    if (requirements.some(isHashed) && !requirements.every(isHashed)) return step.command
  }
  return undefined
}

function isHashed({ hashes }: RequirementLine): boolean {
  return hashes.length > 0
}

async function readSteps(
  steps: readonly InstallStep[],
  source: Source,
  view: BuildView,
): Promise<CollectedRequirements & { readonly paths: readonly string[] }> {
  const files = new Set<string>()
  const paths = (files: readonly { readonly imagePath: string }[]): readonly string[] =>
    files.map(({ imagePath }) => imagePath)
  const [first] = steps
  const collected = await readRequirements(
    {
      requirements: steps.flatMap((step) => paths(step.requirementFiles)),
      constraints: steps.flatMap((step) => paths(step.constraintFiles)),
    },
    async (imagePath) => {
      const step =
        steps.findLast((candidate) => locateInContext(source.dockerfile, candidate, imagePath, view) !== undefined) ??
        first
      const path =
        step === undefined ? undefined : locateInContext(source.dockerfile, step, posix.normalize(imagePath), view)
      if (path === undefined) return undefined
      const file = join(source.context, path)
      files.add(file)
      const text = await readFile(file, 'utf8').catch(() => undefined)
      // uv takes what a project needs, not the project itself.
      return text !== undefined && imagePath.endsWith('.toml') ? projectDependencies(text, [])?.join('\n') : text
    },
  )
  const named = steps.flatMap((step) => step.packages.map((text) => ({ text, line: step.lines.first })))
  const withNamed = named.reduce(addNamed, collected)
  return { ...(await addLocals(steps, withNamed, source)), paths: [...files] }
}

/** What local projects need is known where their pyproject.toml says it. */
async function addLocals(
  steps: readonly InstallStep[],
  collected: CollectedRequirements,
  source: Source,
): Promise<CollectedRequirements> {
  let sum = collected
  for (const { locals, lines } of steps) {
    for (const { text, project, extras } of locals) {
      const sentence = `${text} is built from its source, so the step stays`
      sum = {
        ...sum,
        obstacles: [...sum.obstacles, { code: 'not-only-wheels', file: '', line: lines.first, sentence }],
      }
      const file = project && (await readFile(join(source.context, project.contextPath), 'utf8').catch(() => undefined))
      const needs = file === undefined ? [] : (projectDependencies(file, extras) ?? [])
      sum = needs.map((need) => ({ text: need, line: lines.first })).reduce(addNamed, sum)
    }
  }
  return sum
}

function addNamed(
  collected: CollectedRequirements,
  { text, line }: { text: string; line: number },
): CollectedRequirements {
  const read = readRequirement(text)
  if ('sentence' in read) {
    const obstacle = { code: 'not-only-wheels', file: '', line, sentence: read.sentence } as const
    return { ...collected, obstacles: [...collected.obstacles, obstacle] }
  }
  const requirement: RequirementLine = { file: '', line: 0, hashes: [], ...read }
  return { ...collected, requirements: [...collected.requirements, requirement] }
}

/** Versions that the base image ships hold for the lock, too; pip would keep them where they will do. */
function shippedConstraints({ shipped }: LockTarget): readonly RequirementLine[] {
  return [...shipped].flatMap(([name, version]) =>
    version === undefined ? [] : [{ file: '', line: 0, name, text: `${name}==${version}`, hashes: [] }],
  )
}
