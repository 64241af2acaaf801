import { redact } from '../base/redact.ts'
import { buildError } from '../buildx/build-error.ts'
import { createProgress } from '../buildx/progress.ts'

/**
 * What an export died of, from the progress that it left.
 * @param progress lines of `--progress rawjson`
 * @returns undefined when all went well
 */
export function exportError(progress: string, exitCode: string): string | undefined {
  const reader = createProgress({ redact: (text) => redact(text) })
  for (const line of progress.split('\n')) reader.push(line)
  const timeline = reader.snapshot()
  if (exitCode !== '0') return buildError(timeline, `exit code ${exitCode}`).message
  return timeline.cacheExports.find(({ error }) => error !== undefined)?.error
}
