import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { manifestsAhead } from '../registry/manifests-ahead.ts'
import type { Content, UnknownContent } from './content.ts'
import { contentQuestion, reasonNotToAsk, repositoriesOf } from './find-image.ts'

/** Logs in where tags will be put, while the base images are asked for. */
export function logInAhead(inputs: BuildInputs, { registry }: Pick<Deps, 'registry'>): void {
  if (!inputs.push || reasonNotToAsk(inputs) !== undefined) return
  for (const repository of repositoriesOf(inputs)) void registry.logIn?.(repository)
}

/**
 * Asks the registry for the image of this content while the record is looked up. Whatever the record says, the answer is
 * needed: to put tags, or to know whether there is an image. So a hit and a miss take a round trip less, and no request
 * more.
 * @returns the world with a registry that knows the answer
 */
export function askAhead(inputs: BuildInputs, content: Content | UnknownContent, deps: Deps): Deps {
  if (content.kind === 'unknown' || !inputs.push || reasonNotToAsk(inputs) !== undefined) return deps
  const { repositories, version } = contentQuestion(inputs, content)
  const references = repositories.map((repository) => ({ ...repository, ...version }))
  return { ...deps, registry: manifestsAhead(deps.registry, references) }
}
