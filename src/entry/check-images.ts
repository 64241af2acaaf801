import { systemClock } from '../base/clock.ts'
import { ImageCacheError } from '../base/errors.ts'
import { checkNames } from '../check.ts'
import type { CheckedImage } from '../flow/check-result.ts'
import { parseCheckInputs } from '../inputs/check-inputs.ts'
import type { Registry } from '../registry/registry.ts'
import { NoStore } from '../stores/no-store.ts'
import type { Store } from '../stores/store.ts'
import { openRegistry } from './open-registry.ts'
import { saveAll } from './pending-saves.ts'

/** How images are looked for by name; all of it has a default. */
export interface CheckImagesOptions {
  /** All must be there: `linux/amd64`, `linux/arm/v7`. */
  readonly platforms?: readonly string[]
  /** The registries; by default over HTTP with the logins of `docker login`. */
  readonly registry?: Registry
  /** Where records of digests and content tags are kept; none when not given. */
  readonly store?: Store
  /** How long a record is believed, as the input `check-ttl` takes it. */
  readonly ttl?: string
  /** Ends everything under way. */
  readonly signal?: AbortSignal
}

/**
 * Whether images exist: one request for each name, at most 8 at a time to one registry.
 * @param images names with tag or digest
 * @param options platforms that they must have, where they are looked for, how long a record is believed
 * @returns an answer for each name, in their order; what can't be told is `unknown`, and no error
 * @throws ImageCacheError E_INPUT that lists all names and platforms that can't be read
 */
export async function checkImages(
  images: readonly string[],
  options: CheckImagesOptions = {},
): Promise<readonly CheckedImage[]> {
  const { platforms = [], store = new NoStore('no store was given'), ttl = '1d', signal } = options
  if (images.length === 0) return []
  const given: Readonly<Record<string, string>> = {
    images: images.join('\n'),
    platforms: platforms.join('\n'),
    'check-ttl': ttl,
    store: options.store === undefined ? 'off' : 'auto',
  }
  const inputs = parseCheckInputs((name) => given[name] ?? '')
  const registry = options.registry ?? openRegistry({ signal })
  const saves: { readonly key: string; readonly body: string }[] = []
  const saveLater = (save: (typeof saves)[number]): void => void saves.push(save)
  const checked = await checkNames(inputs.images, inputs.build, { registry, store, clock: systemClock, saveLater })
  await saveAll(saves, store)
  return checked
}

/**
 * Whether one image exists, in one request.
 * @param image name with tag or digest
 * @param options platforms that it must have, where it is looked for, how long a record is believed
 * @returns what can't be told is `unknown`, and no error
 * @throws ImageCacheError E_INPUT for a name or platform that can't be read
 */
export async function checkImage(image: string, options: CheckImagesOptions = {}): Promise<CheckedImage> {
  const [checked] = await checkImages([image], options)
  if (checked !== undefined) return checked
  throw new ImageCacheError('E_INPUT', `images: ${JSON.stringify(image)} names no image`)
}
