import type { BuildStep, FailedStep } from './progress-timeline.ts'

/**
 * Finds the step that made a build fail. Its error stands in the final text of the client; without one it is the first
 * error that isn't the echo of another one. Cache steps count only when the text names them: their errors may be ignored.
 */
export function findFailedStep(steps: readonly BuildStep[], text: readonly string[]): FailedStep | undefined {
  const failed = steps.filter(({ error }) => error !== undefined).sort((a, b) => endOf(a) - endOf(b))
  const errors = text.filter((line) => /^error: /i.test(line))
  const named = failed.find(({ error }) => errors.some((line) => error !== undefined && line.includes(error)))
  const work = failed.filter(({ kind }) => kind !== 'cache-export' && kind !== 'cache-import')
  const step = named ?? work.find(({ error }) => !isEcho(error)) ?? work[0]
  if (step?.error === undefined) return undefined
  return { step, message: step.error, place: findPlace(text) }
}

/** buildx prints `Dockerfile:5`, a ruler and the lines around, see BuildKit's solver/errdefs/source.go. */
function findPlace(text: readonly string[]): FailedStep['place'] {
  for (const [at, line] of text.entries()) {
    const [, file, number] = /^(\S.*):(\d+)$/.exec(line) ?? []
    if (file !== undefined && /^-{10,}$/.test(text[at + 1] ?? '')) return { file, line: Number(number) }
  }
  return undefined
}

function isEcho(error: string | undefined): boolean {
  return /context canceled|Canceled/.test(error ?? '')
}

function endOf(step: BuildStep): number {
  return step.intervals.at(-1)?.end ?? 0
}
