import { ImageCacheError } from '../base/errors.ts'
import { type ImageReference, parseReference } from '../registry/reference.ts'
import { type BuildInputs, parseBuildInputs } from './build-inputs.ts'
import { InputReader, type ReadInput } from './input-reader.ts'

/** What the check action and `image-cache check` take: images by name, or a build whose image is looked for. */
export interface CheckActionInputs {
  /** Images that are looked for by name; empty means the image that `build` would make. */
  readonly images: readonly ImageReference[]
  /** Whether each platform's image is looked for alone. */
  readonly eachPlatform: boolean
  readonly build: BuildInputs
}

/**
 * The one parser of the check action's inputs, which are those of the build action and `images`.
 * @throws ImageCacheError E_INPUT that lists all mistakes together
 */
export function parseCheckInputs(read: ReadInput): CheckActionInputs {
  const reader = new InputReader(read)
  const images = reader.list('images').flatMap((text) => {
    const reference = parseReference(text)
    if (typeof reference === 'string') reader.mistake('images', text, reference)
    else return [reference]
    return []
  })
  const hasImages = reader.text('images') !== undefined
  if (!hasImages && reader.text('tags') === undefined) {
    reader.mistake('tags', '', 'is empty, and so is images: give the names of one of them')
  }
  const eachPlatform = reader.flag('each-platform')
  if (eachPlatform && hasImages)
    reader.mistake('each-platform', 'true', 'is for the image of a build, not for images by name')
  if (eachPlatform && reader.text('platforms') === undefined) {
    reader.mistake('platforms', '', 'is empty, and each-platform wants to look for each of them')
  }
  const build = allMistakes(
    () => parseBuildInputs((name) => (name === 'push' ? 'false' : read(name))),
    () => reader.finish(),
  )
  return { images, eachPlatform, build }
}

/** Runs both, and puts the mistakes of both into one error. @throws ImageCacheError E_INPUT */
function allMistakes<Value>(first: () => Value, second: () => void): Value {
  const mistakes: ImageCacheError[] = []
  const gather = <Result>(run: () => Result): Result | undefined => {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof ImageCacheError) || error.code !== 'E_INPUT') throw error
      mistakes.push(error)
      return undefined
    }
  }
  const value = gather(first)
  gather(second)
  const [one, ...more] = mistakes
  if (one === undefined && value !== undefined) return value
  const sentence = [one, ...more].map((mistake) => mistake?.message ?? '').join('; ')
  throw new ImageCacheError('E_INPUT', sentence, { hint: one?.hint ?? '' })
}
