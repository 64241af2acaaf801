import { systemClock } from '../base/clock.ts'
import { imageName } from '../flow/find-image.ts'
import type { ImageResult } from '../flow/image-result.ts'
import { ReportDraft } from '../flow/report-draft.ts'
import type { BuildSettings } from '../inputs/build-settings.ts'
import { buildImage as buildImageLine } from '../main.ts'
import { libraryRun, type RunOptions } from './library-run.ts'
import { saveAll } from './pending-saves.ts'

/**
 * Builds an image, or finds that one of the same content exists and puts the tags on it: what the action does.
 * @param settings inputs of the action; without `push`, `load` or `outputs` the image stays in the builder
 * @param options where the run takes place
 * @returns outputs of the action by name (`image`, `digest`, `content-key`, `skipped`), the Dockerfile that was built,
 * and the report
 * @throws ImageCacheError E_INPUT that lists all mistakes of the settings; E_BUILDER, E_BUILD and the other codes of
 * docs/errors when the image can't be had; E_PULLED for an image that was pushed but pulled more than it may
 */
export async function buildImage(settings: BuildSettings, options: RunOptions = {}): Promise<ImageResult> {
  const startedAt = systemClock.now()
  return await libraryRun(settings, options, async ({ inputs, host, deps, saves }) => {
    const result = await buildImageLine(inputs, deps, new ReportDraft(imageName(inputs), [], startedAt, systemClock))
    for (const trouble of await saveAll(saves, deps.store)) host.warning(trouble)
    if (result.complaint !== undefined) throw result.complaint
    return result
  })
}
