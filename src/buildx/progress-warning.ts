import type { Redact } from './progress-log.ts'
import { isFields, type RawWarning } from './progress-message.ts'
import type { BuildWarning } from './progress-timeline.ts'

/** A warning as people read it, with its place in the Dockerfile where the builder tells. */
export function readWarning(raw: RawWarning, redact: Redact): BuildWarning {
  const info = raw.sourceInfo
  return {
    message: redact(decode(raw.short ?? '')),
    detail: (raw.detail ?? []).map((line) => redact(decode(line))),
    url: raw.url === undefined || raw.url === '' ? undefined : raw.url,
    file: isFields(info) && typeof info.filename === 'string' ? info.filename : undefined,
    line: firstLine(raw.range),
  }
}

function firstLine(ranges: unknown): number | undefined {
  const first: unknown = Array.isArray(ranges) ? ranges[0] : undefined
  if (!isFields(first) || !isFields(first.start)) return undefined
  return typeof first.start.line === 'number' ? first.start.line : undefined
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString()
}
