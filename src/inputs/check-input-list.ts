import { BUILD_INPUTS, type InputDescription } from './input-list.ts'

/** Inputs of the check action: images by name, or all that the build action takes, with the same meaning. */
export const CHECK_INPUTS: readonly InputDescription[] = [
  {
    name: 'images',
    kind: 'list',
    fallback: '',
    description: 'Images to look for, by tag or digest; the image of this build when empty',
  },
  {
    name: 'each-platform',
    kind: 'flag',
    fallback: 'false',
    description:
      'Look for an image of each of `platforms`, as the jobs of a matrix make them, in the place of one for all',
  },
  ...BUILD_INPUTS,
]

/** Outputs of the check action. */
export const CHECK_OUTPUTS: readonly (readonly [name: string, description: string])[] = [
  [
    'exists',
    '`true` when all images are there with all platforms, `false` when one is not, `unknown` when nobody can tell',
  ],
  ['digest', 'Digest of the image; empty when it is not there, or for several images'],
  ['missing-platforms', 'Wanted platforms that are not there, with commas between them'],
  ['content-key', 'Key of all that the image is made of; empty for images by name'],
  ['reason', 'How the answer is known, one sentence for each image'],
  ['results', 'The answers for each image, JSON'],
  ['platforms-to-build', 'With `each-platform`, platforms whose image must be built, as a JSON list for a matrix'],
  [
    'content-tags',
    'With `each-platform`, the tag that each image has, or will have when it is built, by its content; one a line',
  ],
]
