import type { InputDescription } from './input-list.ts'

/** Inputs of the merge action. */
export const MERGE_INPUTS: readonly InputDescription[] = [
  {
    name: 'tags',
    kind: 'list',
    fallback: '',
    description: 'Names of the image with tags, in any number of repositories',
  },
  {
    name: 'digests',
    kind: 'list',
    fallback: '',
    description:
      'Digests that the jobs pushed, or `repository@digest`, as lines, with commas, or within JSON such as `toJSON(needs)`',
  },
  {
    name: 'digests-folder',
    kind: 'text',
    fallback: '',
    description: 'Folder of files that are named by a digest, or hold one, such as downloaded artifacts',
  },
  {
    name: 'content-tags',
    kind: 'list',
    fallback: '',
    description:
      'Tags in the first repository of `tags` whose images are taken for those of `platforms` that no digest is for, such as `content-tags` of the check',
  },
  {
    name: 'platforms',
    kind: 'list',
    fallback: '',
    description: 'Platforms that the image must have; when one is missing, no tag is put',
  },
  {
    name: 'annotations',
    kind: 'list',
    fallback: '',
    description:
      'Annotations of the index, `[index:]NAME=VALUE`, or of its entries, `manifest-descriptor[platform]:NAME=VALUE`',
  },
]

/** Outputs of the merge action. */
export const MERGE_OUTPUTS: readonly (readonly [name: string, description: string])[] = [
  ['digest', 'Digest of the index'],
  ['image', 'The image with its digest: `repository@sha256:…`'],
  ['platforms', 'Platforms of the image, with commas between them'],
]
