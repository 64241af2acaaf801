import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import { headerLine } from './header-line.ts'
import { pullRows } from './moved-bytes.ts'
import type { BuildReport } from './report.ts'
import { shorten } from './short-name.ts'
import { taskLine } from './task-report.ts'

/**
 * A report as plain lines for a log or a terminal: what happened, then tables.
 * @param width columns at most; longer cells at a line's end are cut.
 */
export function reportLines(report: BuildReport, width = 160): readonly string[] {
  const { timeline, digest, layers, dockerfileSteps, caches, checks, publish } = report
  const blocks: (readonly string[])[] = [
    [
      `${report.image}: ${headerLine(report)}`,
      `  ${report.reason}`,
      ...(report.missed === undefined ? [] : [`  ${report.missed}`]),
      ...(report.hint === undefined ? [] : [`  ${report.hint}`]),
      ...(digest === undefined ? [] : [`  digest ${digest}`]),
      ...(report.tags.length === 0 ? [] : [`  tags ${report.tags.join(' ')}`]),
    ],
    (report.tasks ?? []).length === 0 ? [] : ['Tasks', ...(report.tasks ?? []).map((row) => `  ${taskLine(row)}`)],
    textTable(
      'Layers',
      ['layer', '>size', 'state', 'why'],
      layers.map((layer) => [
        layer.what,
        layer.bytes === undefined ? '' : formatBytes(layer.bytes),
        layer.state,
        layer.why,
      ]),
    ),
    textTable(
      'Dockerfile steps',
      ['>line', 'what', 'step', 'reason'],
      dockerfileSteps.map((step) => [
        String(step.line),
        step.what,
        shorten(step.text.replace(/\s+/g, ' '), 60),
        step.reason,
      ]),
    ),
    textTable('Pulled by the builder', ['for', '>bytes', 'what would spare it'], pullRows(report)),
    textTable(
      'Caches',
      ['cache', 'outcome', 'detail'],
      caches.map(({ what, outcome, detail }) => [what, outcome, detail]),
    ),
    textTable(
      'Checks',
      ['check', 'outcome', 'detail'],
      checks.map(({ what, outcome, detail }) => [what, outcome, detail]),
    ),
    textTable(
      'Stages',
      ['stage', '>time'],
      report.stages.map(({ name, seconds }) => [name, formatSeconds(seconds)]),
    ),
    publish === undefined ? [] : [`Publish: ${publish.plan}, ${publish.reason}`],
    timeline === undefined || timeline.overlap === 0
      ? []
      : [`Push and cache export ran side by side for ${formatSeconds(timeline.overlap / 1000)}.`],
    [...report.warnings, ...(timeline?.warnings ?? [])].map(({ message, file, line }) =>
      file === undefined
        ? `warning: ${message}`
        : `warning: ${file}${line === undefined ? '' : `:${line}`}: ${message}`,
    ),
  ]
  const filled = blocks.filter((block) => block.length > 0)
  return filled
    .flatMap((block, at) => (at === 0 ? block : ['', ...block]))
    .map((line) => shorten(line.replace(/[\r\n]+/g, ' '), width))
}

/** The last lines of the step that failed, for the error that people see. */
export function failureLines(report: BuildReport, most = 20): readonly string[] {
  const failed = report.timeline?.failed
  if (failed === undefined) return (report.timeline?.text ?? []).slice(-most)
  const place = failed.place === undefined ? '' : ` (${failed.place.file}:${failed.place.line})`
  return [`${failed.step.name}${place}`, ...failed.step.logs.slice(-most).map((line) => `  ${line}`), failed.message]
}

/** Columns as wide as their cells; a name that begins with `>` aligns its column to the right. */
function textTable(title: string, header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return []
  const names = header.map((name) => name.replace(/^>/, ''))
  const clean = rows.map((cells) => cells.map((cell) => cell.replace(/\s+/g, ' ')))
  const widths = names.map((name, at) => Math.max(name.length, ...clean.map((cells) => (cells[at] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (header[at]?.startsWith('>') ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return [title, ...[names, ...clean].map((cells) => `  ${line(cells)}`)]
}
