import type { Deps } from './deps.ts'
import { identifyTasks, readTasks } from './flow/build-tasks.ts'
import { type CheckedImage, checkedImage } from './flow/check-result.ts'
import { identifyContent } from './flow/content.ts'
import { contentQuestion, registryCheckers, repositoriesOf } from './flow/find-image.ts'
import { fetchContext } from './flow/git-context.ts'
import { saveRecord } from './flow/image-records.ts'
import { nameQuestion } from './flow/name-question.ts'
import { contextTools, readSource } from './flow/source.ts'
import { type CheckQuestion, checkImage, type ImageCheck } from './image-check/image-check.ts'
import type { BuildInputs } from './inputs/build-inputs.ts'
import type { CheckActionInputs } from './inputs/check-inputs.ts'
import { formatReference, formatRepository, type ImageReference } from './registry/reference.ts'

/** The outside world of a check: nothing is built. */
export type CheckDeps = Pick<
  Deps,
  'registry' | 'store' | 'clock' | 'context' | 'saveLater' | 'exec' | 'signal' | 'env' | 'tasks'
>

/** What a check of images by name needs of it. */
type NameDeps = Pick<CheckDeps, 'registry' | 'store' | 'clock' | 'saveLater'>

/**
 * The check action's line: does the image exist that a build with these inputs would make, or do the images of these
 * names exist? What the registry answers is recorded.
 * @throws ImageCacheError when the sources can't be read, or E_CHECK as `check-unknown: fail` has it
 */
export async function checkImages(inputs: CheckActionInputs, deps: CheckDeps): Promise<readonly CheckedImage[]> {
  if (inputs.images.length > 0) return await checkNames(inputs.images, inputs.build, deps)
  return await checkContent(inputs.build, inputs.eachPlatform, deps)
}

/** Looks for images by name, all at once. */
export async function checkNames(
  images: readonly ImageReference[],
  build: BuildInputs,
  deps: NameDeps,
): Promise<readonly CheckedImage[]> {
  return await Promise.all(
    images.map(async (image) => {
      const question = nameQuestion(image, build.platforms, build.salt)
      return await ask(formatReference(image), undefined, question, build, deps)
    }),
  )
}

/** Looks for the image that a build with these inputs would push, or for those that builds for one platform each would. */
async function checkContent(
  asked: BuildInputs,
  eachPlatform: boolean,
  deps: CheckDeps,
): Promise<readonly CheckedImage[]> {
  const given = await fetchContext(asked, deps)
  const tasks = await readTasks(given, deps)
  const tools = contextTools(deps)
  const source = await readSource(given, deps.context.workspace, tools, tasks.made)
  const made = await identifyTasks(tasks, deps)
  const builds = eachPlatform ? given.platforms.map((platform) => ({ ...given, platforms: [platform] })) : [given]
  return await Promise.all(
    builds.map(async (build) => {
      const content = await identifyContent(build, source, deps.registry, tools, made)
      const names = eachPlatform ? repositoriesOf(build).map(formatRepository) : build.tags.map(formatReference)
      const name = names.join(', ')
      if (content.kind === 'known') return await ask(name, content.key, contentQuestion(build, content), build, deps)
      const reason = `the content can't be told: ${content.reason}`
      return checkedImage(name, undefined, { kind: 'unknown', reason, lastKnown: undefined, asked: [] }, build)
    }),
  )
}

async function ask(
  image: string,
  contentKey: CheckedImage['contentKey'],
  question: CheckQuestion,
  build: BuildInputs,
  deps: NameDeps,
): Promise<CheckedImage> {
  const check = inAll(question, await checkImage(question, registryCheckers(build, deps)))
  const isNews = check.asked.at(-1)?.by === 'registry'
  if (isNews && build.store !== 'off' && build.check === 'auto') {
    const writtenAt = deps.clock.now()
    if (check.kind === 'found') saveRecord(question, { kind: 'present', digest: check.digest, writtenAt }, deps)
    if (check.kind === 'missing' && build.checkNegativeTtl > 0)
      saveRecord(question, { kind: 'absent', writtenAt }, deps)
  }
  return checkedImage(image, contentKey, check, build)
}

/** A build can bring an image from one repository to the others. Who only asks must know that it is in all of them. */
function inAll({ repositories }: CheckQuestion, check: ImageCheck): ImageCheck {
  if (check.kind !== 'found' || check.holders.length === repositories.length) return check
  return { kind: 'missing', reason: `only ${check.reason}`, missingPlatforms: [], asked: check.asked }
}
