import { contentTag } from '../image/content-key.ts'
import type { CheckActionInputs } from '../inputs/check-inputs.ts'
import type { CheckedImage } from './check-result.ts'
import { reasonToBuild } from './find-image.ts'

/**
 * Outputs of the check action for a matrix of jobs, one for each platform: which of them have something to build, and
 * under which tags of their content all images are found afterwards. No name is in them: GitHub drops an output that holds
 * a secret, such as the login that an image's name often begins with. Empty unless each platform was asked for.
 */
export function platformOutputs(
  images: readonly CheckedImage[],
  { eachPlatform, build }: CheckActionInputs,
): ReadonlyMap<string, string> {
  const asked = eachPlatform ? images : []
  const anew = reasonToBuild(build) !== undefined
  const isThere = ({ outcome }: CheckedImage): boolean => outcome === 'found' || outcome === 'assumed'
  const missing = asked.filter((image) => anew || !isThere(image)).flatMap(({ platforms }) => platforms)
  const tags = asked.flatMap(({ contentKey }) => (contentKey === undefined ? [] : [contentTag(contentKey)]))
  return new Map([
    ['platforms-to-build', JSON.stringify(missing)],
    ['content-tags', tags.join('\n')],
  ])
}
