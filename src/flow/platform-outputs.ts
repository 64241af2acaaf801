import { contentTag } from '../image/content-key.ts'
import type { CheckActionInputs } from '../inputs/check-inputs.ts'
import { formatRepository } from '../registry/reference.ts'
import type { CheckedImage } from './check-result.ts'
import { reasonToBuild, repositoriesOf } from './find-image.ts'

/**
 * Outputs of the check action for a matrix of jobs, one for each platform: which of them have something to build, and
 * under which names of their content all images are found afterwards. Empty unless each platform was asked for.
 */
export function platformOutputs(
  images: readonly CheckedImage[],
  { eachPlatform, build }: CheckActionInputs,
): ReadonlyMap<string, string> {
  const [repository] = repositoriesOf(build)
  const asked = eachPlatform && repository !== undefined ? images : []
  const anew = reasonToBuild(build) !== undefined
  const isThere = ({ outcome }: CheckedImage): boolean => outcome === 'found' || outcome === 'assumed'
  const missing = asked.filter((image) => anew || !isThere(image)).flatMap(({ platforms }) => platforms)
  const names = asked.flatMap(({ contentKey }) =>
    contentKey === undefined || repository === undefined
      ? []
      : [`${formatRepository(repository)}:${contentTag(contentKey)}`],
  )
  return new Map([
    ['platforms-to-build', JSON.stringify(missing)],
    ['content-images', names.join('\n')],
  ])
}
