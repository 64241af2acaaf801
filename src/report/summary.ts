import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import { headerLine, OUTCOME_MARKS } from './header-line.ts'
import { type ImageRow, imageRow, imagesTable } from './image-rows.ts'
import { code, codeBlock, details, escapeMarkdown, table } from './markdown.ts'
import { mermaidGantt } from './mermaid-gantt.ts'
import { movesSummary } from './moved-bytes.ts'
import type { BuildReport } from './report.ts'
import { shorten } from './short-name.ts'
import { tasksSummary } from './task-report.ts'

/** GitHub drops a job summary of more than 1 MiB (docs of workflow commands); other steps may write to theirs. */
const LARGEST = 1024 * 1024 - 4096

/**
 * A GitHub job summary in Markdown: what happened, the timeline, tables of layers, Dockerfile steps and caches,
 * warnings, folded inputs. Parts that would make it larger than GitHub takes are left out with a note.
 * @param earlier images of earlier steps of the job: one table tells of all
 */
export function renderSummary(report: BuildReport, earlier: readonly ImageRow[] = []): string {
  const job = earlier.length === 0 ? [] : ['## Images of this job', imagesTable([...earlier, imageRow(report)])]
  return joinWithinLimit([...job, header(report), ...sections(report)])
}

/** The summary of several images of one job: a table over all, then each one folded. */
export function renderSummaries(reports: readonly BuildReport[]): string {
  const [only] = reports
  if (only === undefined) return ''
  if (reports.length === 1) return renderSummary(only)
  const overview = imagesTable(reports.map(imageRow))
  const parts = reports.map((report) =>
    details(`${OUTCOME_MARKS[report.outcome]} ${code(report.image)}`, sections(report).join('\n\n')),
  )
  return joinWithinLimit(['## Images', overview, ...parts])
}

function header(report: BuildReport): string {
  const lines = [
    `## ${OUTCOME_MARKS[report.outcome]} ${code(report.image)} ${escapeMarkdown(headerLine(report))}`,
    escapeMarkdown(report.reason) + (report.hint === undefined ? '' : ` ${escapeMarkdown(report.hint)}`),
    ...(report.missed === undefined ? [] : [escapeMarkdown(report.missed)]),
  ]
  return lines.join('\n\n')
}

function sections(report: BuildReport): readonly string[] {
  return [
    failure(report),
    facts(report),
    warnings(report),
    timeline(report),
    tasksSummary(report.tasks ?? []),
    layers(report),
    dockerfileSteps(report),
    movesSummary(report),
    caches(report),
    publish(report),
    inputs(report),
  ].filter((part) => part !== '')
}

function failure(report: BuildReport): string {
  const failed = report.timeline?.failed
  if (report.outcome !== 'failed' || failed === undefined) return ''
  const place = failed.place === undefined ? '' : ` (${code(`${failed.place.file}:${failed.place.line}`)})`
  const lines = failed.step.logs.slice(-15).map((line) => shorten(line, 300))
  return [
    `**Failed step**${place}: ${code(shorten(failed.step.name, 200))}`,
    escapeMarkdown(shorten(failed.message, 500)),
    lines.length === 0 ? '' : codeBlock(lines, 'text'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function facts(report: BuildReport): string {
  const rows: string[][] = []
  if (report.digest !== undefined) rows.push(['Digest', code(report.digest)])
  if (report.tags.length > 0) rows.push(['Tags', report.tags.map(code).join(' ')])
  if (report.contentKey !== undefined) rows.push(['Content key', code(report.contentKey)])
  for (const { what, outcome, detail } of report.checks) {
    rows.push([`Check: ${escapeMarkdown(what)}`, `${outcome}, ${escapeMarkdown(detail)}`])
  }
  return rows.length === 0 ? '' : table(['Image', ''], rows)
}

function warnings(report: BuildReport): string {
  const builder = report.timeline?.warnings ?? []
  const all = [...report.warnings, ...builder].map(({ message, file, line }) => {
    const place = file === undefined ? '' : `${code(line === undefined ? file : `${file}:${line}`)} `
    return `- ⚠️ ${place}${escapeMarkdown(shorten(message, 500))}`
  })
  return all.length === 0 ? '' : ['### Warnings', all.join('\n')].join('\n\n')
}

function timeline(report: BuildReport): string {
  const parts: string[] = []
  const chart = report.timeline === undefined ? [] : mermaidGantt(report.timeline)
  if (report.timeline !== undefined && chart.length > 0) {
    parts.push('### Timeline', codeBlock(chart, 'mermaid'))
    const { overlap } = report.timeline
    if (overlap > 0) parts.push(`Push and cache export ran side by side for ${formatSeconds(overlap / 1000)}.`)
  }
  if (report.stages.length > 0) {
    const rows = report.stages.map(({ name, seconds }) => [escapeMarkdown(name), formatSeconds(seconds)])
    parts.push(details('Time of each stage of the run', table(['Stage', 'Time>'], rows)))
  }
  return parts.join('\n\n')
}

function layers(report: BuildReport): string {
  if (report.layers.length === 0) return ''
  const rows = report.layers.map(({ what, packages, bytes, state, why }) => [
    escapeMarkdown(what),
    packageCell(packages),
    bytesCell(bytes),
    state === 'reused' ? '♻️ reused' : state === 'built' ? '🔨 built' : 'unknown',
    escapeMarkdown(why),
  ])
  return ['### Layers', table(['Layer', 'Packages', 'Size>', 'State', 'Why'], rows)].join('\n\n')
}

function packageCell(packages: readonly string[]): string {
  if (packages.length <= 4) return packages.map(escapeMarkdown).join(', ')
  const [first = '', second = ''] = packages
  return `<details><summary>${escapeMarkdown(first)}, ${escapeMarkdown(second)} and ${packages.length - 2} more</summary>${packages.map(escapeMarkdown).join(', ')}</details>`
}

function dockerfileSteps(report: BuildReport): string {
  if (report.dockerfileSteps.length === 0) return ''
  const rows = report.dockerfileSteps.map(({ line, text, what, reason }) => [
    String(line),
    code(shorten(text, 120)),
    what,
    escapeMarkdown(reason),
  ])
  return ['### Dockerfile steps', table(['Line>', 'Step', 'What', 'Reason'], rows)].join('\n\n')
}

function caches(report: BuildReport): string {
  if (report.caches.length === 0) return ''
  const rows = report.caches.map(({ what, outcome, detail }) => [
    escapeMarkdown(what),
    outcome === 'failed' || outcome === 'unavailable' ? `⚠️ ${outcome}` : outcome,
    escapeMarkdown(shorten(detail, 500)),
  ])
  return ['### Caches', table(['Cache', 'Outcome', 'Detail'], rows)].join('\n\n')
}

function publish(report: BuildReport): string {
  if (report.publish === undefined) return ''
  const { plan, reason, legs } = report.publish
  const rows = legs.map(({ name, predictedSeconds, seconds }) => [
    escapeMarkdown(name),
    predictedSeconds === undefined ? '' : formatSeconds(predictedSeconds),
    seconds === undefined ? '' : formatSeconds(seconds),
  ])
  const sentence = `${code(plan)}: ${escapeMarkdown(reason)}`
  return ['### Publish', sentence, rows.length === 0 ? '' : table(['Leg', 'Predicted>', 'Measured>'], rows)]
    .filter((part) => part !== '')
    .join('\n\n')
}

function inputs(report: BuildReport): string {
  if (report.inputs.length === 0) return ''
  const rows = report.inputs.map(([name, value]) => [code(name), code(shorten(value, 1000))])
  return details('Inputs', table(['Input', 'Value'], rows))
}

function bytesCell(bytes: number | undefined): string {
  return bytes === undefined ? '' : formatBytes(bytes)
}

/** Joins parts in order as long as they fit; each that is too large is left out, and said so. */
function joinWithinLimit(parts: readonly string[]): string {
  const kept: string[] = []
  let size = 0
  let left = 0
  for (const part of parts) {
    const bytes = Buffer.byteLength(part) + 2
    if (size + bytes > LARGEST) left += 1
    else {
      kept.push(part)
      size += bytes
    }
  }
  if (left > 0)
    kept.push(`_${left} ${left === 1 ? 'part is' : 'parts are'} left out: GitHub takes no more than 1 MiB._`)
  return `${kept.join('\n\n')}\n`
}
