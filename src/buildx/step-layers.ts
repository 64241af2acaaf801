import type { BuildStep } from './progress-timeline.ts'

/** A layer of an image with the step that made it in this build. */
export interface StepLayer {
  /** As BuildKit names the step. */
  readonly step: string
  /** Compressed. */
  readonly bytes: number
}

/** An image as its registry holds it. */
export interface HeldImage {
  /** Of its configuration, oldest first. */
  readonly history: readonly { readonly createdBy: string; readonly isEmpty: boolean }[]
  /** Compressed bytes of each layer, bottom first. */
  readonly layers: readonly number[]
}

/** Steps that stand in BuildKit's numbering `[stage 2/5]`, whether or not they changed anything. */
const NUMBERED = /^(RUN|COPY|ADD|WORKDIR)\b/

/**
 * Layers that steps of this build made: these had to be sent. A configuration doesn't name steps; but the steps of the
 * final stage are numbered to its end, and its history ends with the same ones.
 */
export function stepLayers(steps: readonly BuildStep[], { history, layers }: HeldImage): readonly StepLayer[] {
  const own = finalSteps(steps)
  // Where a named context stands in for FROM, the numbers end one below the count that BuildKit shows.
  const last = Math.max(...own.map(({ number }) => number))
  // A base image may tell less of its history than it has layers: the end is what counts.
  let next = layers.length - history.filter(({ isEmpty }) => !isEmpty).length
  const sizes = history.flatMap(({ createdBy, isEmpty }) => {
    const bytes = isEmpty ? undefined : layers[next++]
    return isEmpty && !NUMBERED.test(createdBy) ? [] : [bytes]
  })
  return own.flatMap(({ step, number }) => {
    const bytes = sizes[sizes.length - 1 - (last - number)]
    const made = step.kind !== 'link' && step.kind !== 'from' && !step.cached && step.intervals.length > 0
    return made && bytes !== undefined ? [{ step: step.name, bytes }] : []
  })
}

interface NumberedStep {
  readonly step: BuildStep
  readonly number: number
}

/** Steps of the stage whose result no other step needs. */
function finalSteps(steps: readonly BuildStep[]): readonly NumberedStep[] {
  const numbered = steps.flatMap((step): readonly NumberedStep[] => {
    const [, number] = /^\[[^\]]*?(\d+)\/\d+\]/.exec(step.name) ?? []
    return number === undefined ? [] : [{ step, number: Number(number) }]
  })
  const needed = new Set(numbered.flatMap(({ step }) => step.inputs))
  const end = numbered.find(({ step }) => !needed.has(step.digest))?.step
  return numbered.filter(({ step }) => step.stage === end?.stage && step.platform === end?.platform)
}
