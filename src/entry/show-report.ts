import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { goFlag } from '../base/go-flag.ts'
import type { GithubHost } from '../host/github-host.ts'
import { type ImageRow, imageRow, readImageRows } from '../report/image-rows.ts'
import { reportLines } from '../report/log-lines.ts'
import type { BuildReport } from '../report/report.ts'
import { renderSummary } from '../report/summary.ts'

/** Shows a report in the log, as annotations and, when wanted, in the job's summary. */
export async function showReport(report: BuildReport, host: GithubHost, summary: boolean): Promise<void> {
  for (const line of reportLines(report)) host.info(line)
  // The switches of docker/build-push-action.
  const { DOCKER_BUILD_CHECKS_ANNOTATIONS: annotate, DOCKER_BUILD_SUMMARY: summarize } = process.env
  const found = goFlag(annotate) === false ? [] : (report.timeline?.warnings ?? [])
  for (const { message, file, line } of [...report.warnings, ...found]) {
    host.warning(message, { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) })
  }
  const earlier = await noteImage(report)
  if (summary && goFlag(summarize) !== false) await host.summary(renderSummary(report, earlier))
}

/** What steps of this job leave for later ones; the runner empties it between jobs. */
export function jobFolder(): string {
  return join(process.env.RUNNER_TEMP ?? '.', 'image-cache')
}

/**
 * Notes an image for the steps to come. A step's summary can't be changed once the step has ended, so the latest one
 * has the table over all images of the job. @returns the images of earlier steps
 */
async function noteImage(report: BuildReport): Promise<readonly ImageRow[]> {
  const file = join(jobFolder(), 'images.jsonl')
  try {
    await mkdir(jobFolder(), { recursive: true })
    const text = await readFile(file, 'utf8').catch(() => '')
    await appendFile(file, `${JSON.stringify(imageRow(report))}\n`)
    return readImageRows(text)
  } catch {
    // A full disk must not cost the report as well.
    return []
  }
}

/** Keeps a text for later steps and answers its path. */
export async function keepForJob(name: string, text: string): Promise<string> {
  await mkdir(jobFolder(), { recursive: true })
  const path = join(jobFolder(), name)
  await writeFile(path, text)
  return path
}
