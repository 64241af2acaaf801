import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import { headerLine, pulledBytes } from './header-line.ts'
import { layerStackSvg } from './layer-stack-svg.ts'
import type { BuildReport } from './report.ts'
import { escapeXml } from './svg.ts'
import { timelineSvg } from './timeline-svg.ts'

/** A run that is shown, such as one of the demo's. */
export interface ReportRun {
  readonly title: string
  readonly report: BuildReport
}

/** A table of plain texts; cells that begin with a digit are aligned to the right. */
export interface ReportTable {
  readonly caption?: string | undefined
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * One HTML page about several runs, without any outside resource: a table over all, then for each run its numbers, its
 * timeline and the layers of its image.
 */
export function renderHtml(runs: readonly ReportRun[], table?: ReportTable, title = 'Image builds'): string {
  const parts = [
    `<h1>${escapeXml(title)}</h1>`,
    ...(table === undefined ? [] : [tableHtml(table)]),
    ...runs.map((run, at) => runHtml(run, at)),
  ]
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title><style>${PAGE_STYLE}</style></head>`,
    '<body><main>',
    ...parts,
    '</main></body>',
    '</html>',
    '',
  ].join('\n')
}

function runHtml({ title, report }: ReportRun, at: number): string {
  const { timeline, layers } = report
  return [
    `<section id="run-${at + 1}">`,
    `<h2>${escapeXml(title)}</h2>`,
    `<p><b>${escapeXml(headerLine(report))}.</b> ${escapeXml(report.reason)}</p>`,
    `<ul class="numbers">${numbers(report)}</ul>`,
    ...(timeline === undefined || timeline.steps.length === 0
      ? []
      : [`<figure>${timelineSvg(timeline, { title: 'Timeline' })}</figure>`]),
    ...(layers.length === 0 ? [] : [`<figure>${layerStackSvg(layers, 'Layers of the image')}</figure>`]),
    ...stepsHtml(report),
    '</section>',
  ].join('\n')
}

function numbers(report: BuildReport): string {
  const pulled = pulledBytes(report)
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['time', formatSeconds(report.seconds)],
    ['pulled', pulled === undefined ? undefined : formatBytes(pulled)],
    ['pushed', report.pushedBytes === undefined ? undefined : formatBytes(report.pushedBytes)],
    ['steps run', report.timeline === undefined ? undefined : String(report.timeline.executedRuns.length)],
    ['layers built', countOf(report, 'built')],
    ['layers reused', countOf(report, 'reused')],
  ]
  return facts
    .flatMap(([name, value]) => (value === undefined ? [] : [`<li><b>${escapeXml(value)}</b> ${escapeXml(name)}</li>`]))
    .join('')
}

function countOf(report: BuildReport, state: 'built' | 'reused'): string | undefined {
  return report.layers.length === 0 ? undefined : String(report.layers.filter((layer) => layer.state === state).length)
}

function stepsHtml(report: BuildReport): readonly string[] {
  if (report.dockerfileSteps.length === 0) return []
  const header = ['Line', 'Step', 'What', 'Reason']
  const rows = report.dockerfileSteps.map(({ line, text, what, reason }) => [String(line), text, what, reason])
  return [`<details><summary>Dockerfile steps</summary>${tableHtml({ header, rows })}</details>`]
}

function tableHtml({ caption, header, rows }: ReportTable): string {
  const cell = (text: string) => `<td${/^\d/.test(text) ? ' class="right"' : ''}>${escapeXml(text)}</td>`
  return [
    '<div class="wide"><table>',
    caption === undefined ? '' : `<caption>${escapeXml(caption)}</caption>`,
    `<thead><tr>${header.map((text) => `<th>${escapeXml(text)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map((cells) => `<tr>${cells.map(cell).join('')}</tr>`).join('\n')}</tbody>`,
    '</table></div>',
  ].join('')
}

const PAGE_STYLE = `
body{margin:0;background:#fff;color:#1f2328;font:15px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1020px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:26px}h2{font-size:19px;margin:40px 0 4px;padding-top:16px;border-top:1px solid #d1d9e0}p{margin:4px 0 8px}
table{border-collapse:collapse;font-size:14px}th,td{padding:5px 10px;border:1px solid #d1d9e0;text-align:left;vertical-align:top}
th{background:#f6f8fa}td.right{text-align:right;white-space:nowrap}caption{text-align:left;padding:6px 0;color:#59636e}
.wide{overflow-x:auto}figure{margin:12px 0;overflow-x:auto;border:1px solid #d1d9e0;border-radius:6px}figure svg{display:block;max-width:100%;height:auto}
.numbers{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:8px 0;padding:0}.numbers li{padding:3px 10px;border:1px solid #d1d9e0;border-radius:6px}
summary{cursor:pointer;padding:6px 0}
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#f0f6fc}th{background:#151b23}
th,td,h2,figure,.numbers li{border-color:#3d444d}caption{color:#9198a1}}
`.trim()
