import { ImageCacheError, messageOf } from '../base/errors.ts'
import { type FoundBuilder, findBuilder } from '../buildx/builder.ts'
import { isAtLeast, PARALLEL_SINCE } from '../buildx/publish-plan.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository, type ImageReference } from '../registry/reference.ts'
import { repositoriesOf } from './find-image.ts'

/** Whether one thing that a build needs is there: `limited` means that builds work, with less gain. */
export interface Finding {
  readonly what: string
  readonly outcome: 'works' | 'limited' | 'broken'
  readonly says: string
  /** What can be done about it; empty when it works. */
  readonly hint: string
}

type Outcome = Omit<Finding, 'what'>
type Surroundings = Pick<Deps, 'exec' | 'registry' | 'store'>

/** Bytes that every registry has seen: the empty configuration of the OCI image format. */
const PROBE = Buffer.from('{}')

/**
 * Looks at all that a build with these inputs would need, without building: the builder, git and uv, the registries of
 * `tags`, the store. With `push` a blob of two bytes is written to each repository, as no question tells who may push.
 * @returns a finding for each thing, always in the same order
 */
export async function examineSurroundings(inputs: BuildInputs, deps: Surroundings): Promise<readonly Finding[]> {
  const registries = repositoriesOf(inputs).flatMap((repository) => [
    named(`read ${formatRepository(repository)}`, () => readRepository(tagIn(inputs, repository), deps)),
    ...(inputs.push ? [named(`push to ${formatRepository(repository)}`, () => writeTo(repository, deps))] : []),
  ])
  return await Promise.all([
    named('builder', () => examineBuilder(findBuilder(deps.exec, inputs.builder), deps)),
    named('git', () => examineProgram('git', 'files of the context are read one by one', deps)),
    named('uv', () => examineProgram('uv', 'versions are resolved in the installer image, which takes longer', deps)),
    ...registries,
    named(`store ${deps.store.name}`, () => examineStore(deps)),
  ])
}

async function named(what: string, look: () => Promise<Outcome>): Promise<Finding> {
  try {
    return { what, ...(await look()) }
  } catch (error) {
    const hint = error instanceof ImageCacheError ? (error.hint ?? '') : ''
    return { what, outcome: 'broken', says: messageOf(error), hint }
  }
}

async function examineBuilder(finding: Promise<FoundBuilder>, { exec }: Surroundings): Promise<Outcome> {
  const { builder, buildx } = await finding
  const { stdout } = await exec.run(buildx.command, [...buildx.prefix, 'version'])
  const [version = ''] = /v\d[\w.+-]*/.exec(stdout) ?? []
  const { name, driver, buildkit, platforms } = builder
  const called = [...[buildx.command], ...buildx.prefix].join(' ')
  const kit = buildkit === undefined ? 'a BuildKit that does not tell its version' : `BuildKit ${buildkit}`
  const says = `${name}: ${driver} driver, ${kit}, ${platforms.join(' ')}; ${called} ${version}`.trim()
  if (driver === 'docker' && builder.cacheExport !== true) {
    const hint =
      'Make one that keeps layers apart and exports caches: `docker buildx create --use`, or docker/setup-buildx-action.'
    return { outcome: 'limited', says: `${says}; this driver can't export caches`, hint }
  }
  if (buildkit === undefined || isAtLeast(buildkit, PARALLEL_SINCE)) return works(says)
  const hint = 'Take BuildKit 0.28 or newer, which exports the cache while it pushes.'
  return { outcome: 'limited', says: `${says}; the cache is exported after the push`, hint }
}

async function examineProgram(program: string, otherwise: string, { exec }: Surroundings): Promise<Outcome> {
  const answer = await exec.run(program, ['--version']).catch(() => undefined)
  if (answer?.exitCode === 0) return works(answer.stdout.trim().split('\n', 1)[0] ?? '')
  return { outcome: 'limited', says: `not here: ${otherwise}`, hint: `Install ${program}.` }
}

async function readRepository(image: ImageReference, { registry }: Surroundings): Promise<Outcome> {
  const found = await registry.head(image)
  return works(found === undefined ? `answers; there is no ${image.tag} yet` : `${image.tag} is ${found.digest}`)
}

async function writeTo(repository: ImageReference, { registry }: Surroundings): Promise<Outcome> {
  await registry.putBlob(repository, PROBE)
  return works('two bytes were written')
}

async function examineStore({ store }: Surroundings): Promise<Outcome> {
  const answer = await store.lookUp('doctor')
  if (answer.kind !== 'unavailable') return works('answers')
  const hint = 'docs/stores.md says what each store needs. Without one the registry is asked each time.'
  return { outcome: 'limited', says: answer.reason, hint }
}

function works(says: string): Outcome {
  return { outcome: 'works', says, hint: '' }
}

function tagIn({ tags }: BuildInputs, { registry, path }: ImageReference): ImageReference {
  const found = tags.find((tag) => tag.registry === registry && tag.path === path)
  return { registry, path, tag: found?.tag ?? 'latest' }
}
