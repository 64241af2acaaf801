import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { codeOf, ImageCacheError } from '../base/errors.ts'
import { readSavedBuild } from '../flow/saved-report.ts'
import type { BuildReport } from '../report/report.ts'
import { renderHtml } from '../report/report-html.ts'
import { renderSummary } from '../report/summary.ts'
import { timelineSvg } from '../report/timeline-svg.ts'
import type { CommandWorld } from './command-world.ts'
import type { ReportFormat } from './report-formats.ts'
import { runCommand } from './run-command.ts'

/**
 * `image-cache report FILE`: the report of a build from its saved progress, `docker buildx build --progress rawjson
 * … 2> FILE`. `-` is standard input. Answers the exit code.
 */
export function reportCommand(file: string, format: ReportFormat, world: CommandWorld): Promise<number> {
  return runCommand(new Map(), world, async () => {
    const report = await readReport(file)
    world.stdout.write(render(report, format))
  })
}

async function readReport(file: string): Promise<BuildReport> {
  const input = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1 << 20 })
  const report = await readSavedBuild(input, basename(file)).catch((cause: unknown) => {
    throw new ImageCacheError('E_INPUT', `${file} can't be read: ${codeOf(cause) ?? String(cause)}`, {
      hint: 'Name a file with the progress of a build.',
      cause,
    })
  })
  if (report !== undefined) return report
  throw new ImageCacheError('E_INPUT', `${file} holds no progress of a build`, {
    hint: 'Save it with `docker buildx build --progress rawjson … 2> FILE`.',
  })
}

function render(report: BuildReport, format: ReportFormat): string {
  switch (format) {
    case 'markdown':
      return renderSummary(report)
    case 'html':
      return renderHtml([{ title: report.image, report }], undefined, report.image)
    case 'svg':
      return `${report.timeline === undefined ? '' : timelineSvg(report.timeline, { title: report.image })}\n`
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`
  }
}
