import type { UnbuiltPackage } from '../python/pylock.ts'
import { mergeSettings } from '../python/read-requirements.ts'
import type { RequirementLine } from '../python/requirement-line.ts'
import { resolve } from '../python/resolve.ts'
import { collectRequirements } from './collect-requirements.ts'
import { type LockQuestion, type LockTarget, lockSubject } from './lock-question.ts'
import { lockSource } from './lock-source.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'

/** The packages of requirements: resolved once for all steps, or as remembered. */
export async function lockOfRequirements(question: LockQuestion): Promise<StageLockOutcome> {
  const { steps, python, installerImage, tools } = question
  const [first] = steps
  if (first === undefined) throw new RangeError('no step')
  const wanted = await collectRequirements(steps, question)
  // What is no wheel of an index stays with the step; any other trouble leaves everything as it is.
  const obstacle = wanted.obstacles.find(({ code }) => code !== 'not-only-wheels')
  if (obstacle !== undefined) return lockRefusal(inFile(obstacle), obstacle.code)
  const half = await halfHashed(wanted.requirements, question)
  if (half !== undefined)
    return lockRefusal(`${half} pins hashes of some packages and not of others, which pip refuses`, 'unknown-option')
  const locals = wanted.obstacles.map((one): UnbuiltPackage => {
    return { name: '', folder: undefined, reason: inFile(one) }
  })
  const [local] = locals
  if (wanted.requirements.length === 0 && local !== undefined) return lockRefusal(local.reason, 'not-only-wheels')
  const settings = mergeSettings(first.settings, wanted.settings)
  const resolved = await resolve(
    {
      ...lockSubject(question),
      requirements: wanted.requirements,
      constraints: [...wanted.constraints, ...shippedConstraints(python)],
      onlyBinary: wanted.onlyBinary,
      settings,
      installer: first.installer,
    },
    tools.runInstaller,
    tools.store,
  )
  if (resolved.kind === 'failed') return lockRefusal(resolved.reason)
  const { packages } = resolved.resolution
  return {
    kind: 'locked',
    packages,
    unbuilt: [...resolved.unbuilt, ...locals],
    settings,
    installerImage,
    files: wanted.paths,
    note: `${packages.length} packages, versions ${lockSource(resolved)}`,
  }
}

function inFile({ file, sentence }: { readonly file: string; readonly sentence: string }): string {
  return file === '' ? sentence : `${file}: ${sentence}`
}

/** A command of pip that pins hashes of some packages and not of others: it fails, and should go on doing so. */
async function halfHashed(all: readonly RequirementLine[], question: LockQuestion): Promise<string | undefined> {
  // With all of one kind no command can have both.
  if (all.every(isHashed) || !all.some(isHashed)) return undefined
  for (const step of question.steps.filter(({ installer }) => installer === 'pip')) {
    const { requirements } = await collectRequirements([step], question)
    if (requirements.some(isHashed) && !requirements.every(isHashed)) return step.command
  }
  return undefined
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
