import { checkImages } from '../check.ts'
import type { CheckedImage } from '../flow/check-result.ts'
import type { BuildSettings } from '../inputs/build-settings.ts'
import { parseCheckInputs } from '../inputs/check-inputs.ts'
import { libraryRun, type RunOptions } from './library-run.ts'
import { saveAll } from './pending-saves.ts'

/**
 * Whether the image exists that a build with these settings would push, so that `buildImage` would only put tags.
 * Nothing is built.
 * @param settings inputs of the action; `tags` say in which repositories the image is looked for
 * @param options where the run takes place
 * @returns an answer with the content key; what can't be told is `unknown`, and no error
 * @throws ImageCacheError E_INPUT and E_DOCKERFILE for sources that can't be read, E_CHECK with `check-unknown: fail`
 */
export async function checkBuild(settings: BuildSettings, options: RunOptions = {}): Promise<CheckedImage> {
  return await libraryRun(
    settings,
    options,
    async ({ inputs, host, deps, saves }) => {
      const [checked] = await checkImages({ images: [], eachPlatform: false, build: inputs }, deps)
      for (const trouble of await saveAll(saves, deps.store)) host.warning(trouble)
      if (checked === undefined) throw new RangeError('a build has one image')
      return checked
    },
    (read) => parseCheckInputs((name) => (name === 'each-platform' || name === 'images' ? '' : read(name))).build,
  )
}
