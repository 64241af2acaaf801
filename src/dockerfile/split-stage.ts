import type { StageLayers } from './dependency-stage.ts'
import type { Dockerfile, InstallStep, Instruction } from './dockerfile.ts'
import type { TextEdit } from './text-edit.ts'

/**
 * Makes two stages out of one, at the first install: what stands above it, and what stays of the install itself, can then
 * be copied from without the packages.
 * A stage takes over everything from the one that it stands on, so its own steps don't notice.
 * @param between texts of stages that need the one and are needed by the other.
 * @returns the name of the new stage, and the edits that make it.
 * @throws RangeError where there is no such install.
 */
export function splitStage(
  dockerfile: Dockerfile,
  { stage: index, steps }: Pick<StageLayers, 'stage' | 'steps'>,
  between: readonly string[] = [],
): { readonly name: string; readonly edits: readonly TextEdit[] } {
  const stage = dockerfile.stages[index]
  const lines = steps.map((step) => step.lines.first)
  const first = stage?.instructions.find((instruction) => instruction.lines.first === Math.min(...lines))
  if (stage === undefined || first === undefined) throw new RangeError(`no install in stage ${index}`)
  const name = beforeStageName(index)
  const { from } = stage
  const flags = from.flags.map((flag) => ` --${flag.name}=${flag.value ?? ''}`).join('')
  const alias = stage.name === undefined ? '' : ` AS ${stage.name}`
  const below = { start: from.start, end: from.headEnd, text: `FROM${flags} ${stage.base} AS ${name}` }
  const again = [...remainderLines(first, steps), ...between, `FROM ${name}${alias}`, ''].join(dockerfile.newline)
  const above = { start: first.start, end: first.start, text: again }
  return { name, edits: [below, above] }
}

/** `image-cache-before-<stage>` */
export function beforeStageName(stage: number): string {
  return `image-cache-before-${stage}`
}

/** The RUN that is left of an install: it may have made the very environment. */
export function remainderLines(
  { flags, lines }: Pick<Instruction, 'flags' | 'lines'>,
  steps: readonly Pick<InstallStep, 'lines' | 'remainder'>[],
): readonly string[] {
  const remainder = steps.find((step) => step.lines.first === lines.first)?.remainder
  const words = flags.map((flag) => `--${flag.name}${flag.value === undefined ? '' : `=${flag.value}`} `).join('')
  return remainder === undefined ? [] : [`RUN ${words}${remainder}`]
}
