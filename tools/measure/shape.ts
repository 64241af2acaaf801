/** What happened since the last build, as a team meets it every day. */
export type Shape = 'cold' | 'light' | 'source' | 'patch' | 'unchanged'

export interface ShapeText {
  readonly shape: Shape
  /** A few words, for tables. */
  readonly title: string
  /** One sentence: what is done and what it should cost. */
  readonly story: string
}

/** In the order in which they are built: each one starts from what the one before left in the registry. */
export const SHAPES: readonly ShapeText[] = [
  {
    shape: 'cold',
    title: 'cold',
    story: 'The first build ever: nothing is cached anywhere, so all must be made and pushed.',
  },
  {
    shape: 'light',
    title: 'light package added',
    story: 'One small package more in requirements.txt: the big ones have not changed.',
  },
  {
    shape: 'source',
    title: 'source changed',
    story: 'One line of the application changed: no dependency has.',
  },
  {
    shape: 'patch',
    title: 'base image patched',
    story: 'The base image got a security fix under the same tag: what lies on top of it has not changed.',
  },
  {
    shape: 'unchanged',
    title: 'nothing changed',
    story: 'The same commit once more, as in a re-run or a merge queue: the image is there already.',
  },
]
