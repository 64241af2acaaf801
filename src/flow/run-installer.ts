import type { FoundBuilder } from '../buildx/builder.ts'
import { runInImage } from '../buildx/run-in-image.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { RunInstaller } from '../python/resolve.ts'
import { hasUv, runOnRunner } from '../python/run-on-runner.ts'

/**
 * Where versions are resolved: with the runner's own uv, while the builder fetches the installer image that the new
 * layers need anyway; without uv, or when that fails, in the installer image.
 * @param found awaited only when something is to be resolved
 * @param onPulled gets the bytes of images that the builder pulled for it
 */
export function installerRunner(
  inputs: BuildInputs,
  found: Promise<FoundBuilder>,
  deps: Deps,
  onPulled: (bytes: number) => void,
): RunInstaller {
  const { tempDir } = deps.context
  const inImage: RunInstaller = async ({ image, script, files, relock }) => {
    const { buildx, builder } = await found
    const tools = {
      exec: deps.exec,
      buildx,
      builder: builder.name,
      allow: inputs.allow,
      tempDir,
      signal: deps.signal,
    }
    const result = await runInImage({ image, script, files, fresh: relock }, tools)
    onPulled(result.pulledBytes)
    return result
  }
  return async (run) => {
    if (!(await hasUv(deps.exec))) return inImage(run)
    // A head start for the image. It must end before the build begins: steps that two builds share at the same time
    // don't see the caches that one of them imports, and every group would run again (measured on BuildKit 0.33.1).
    const headStart = inImage({ ...run, script: 'true', files: {}, relock: false }).catch(() => undefined)
    const here = await runOnRunner({ exec: deps.exec, tempDir, signal: deps.signal })(run)
    await headStart
    return here.kind === 'done' ? here : inImage(run)
  }
}
