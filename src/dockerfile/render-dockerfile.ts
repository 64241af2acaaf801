import {
  dependencyStage,
  dependencyStageName,
  type InstallerSurroundings,
  type StageLayers,
} from './dependency-stage.ts'
import type { BuildView, Dockerfile, InstallStep } from './dockerfile.ts'
import { type LiftedWorkdirs, type LiftOptions, liftWorkdirs } from './lift-workdirs.ts'
import { type CopyLink, linkCopies } from './link-copies.ts'
import type { HistoryStep } from './stage-config.ts'
import { resolveStages } from './stage-graph.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

export interface RenderedDockerfile {
  readonly text: string
  /** What became of the user's own COPY and WORKDIR steps, in the order of the file. */
  readonly links: readonly CopyLink[]
  /**
   * Configuration that the exporter must give the image, as JSON: the file alone no longer says it. Undefined where it
   * does.
   */
  readonly config: string | undefined
}

/**
 * Writes the *linked* form: a stage for each group above the user's first FROM, and `COPY --link` of the groups where the
 * first install of a stage stood. Every other line stays as it was, byte for byte, but for COPY steps that are linked,
 * stage numbers in `COPY --from`, which count the new stages as well, and WORKDIR steps where `lift` is given.
 * @param layers bottom layer first, each. Several of one stage (different settings) are allowed.
 * @param options with `lift` the target's COPY steps are linked and its WORKDIRs lifted even where it has no layers.
 */
export function renderLinked(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  options: BuildView & InstallerSurroundings & { readonly lift?: LiftOptions | undefined },
): RenderedDockerfile {
  const filled = layers.filter(({ plan, steps }) => plan.groups.length > 0 && steps.length > 0)
  const firstFrom = dockerfile.stages[0]?.from
  if ((filled.length === 0 && options.lift === undefined) || firstFrom === undefined) {
    return { text: dockerfile.text, links: [], config: undefined }
  }
  const stages: string[] = []
  const edits: TextEdit[] = []
  const installs = new Map<number, readonly HistoryStep[]>()
  const slots = new Map<number, number>()
  for (const entry of filled) {
    const names = entry.plan.groups.map((group) => {
      const slot = (slots.get(entry.stage) ?? 0) + 1
      slots.set(entry.stage, slot)
      const name = dependencyStageName(entry.stage, slot)
      stages.push(dependencyStage(entry, group, name, options))
      return name
    })
    edits.push(...replacedSteps(dockerfile, entry.steps, names))
    for (const [line, history] of installHistory(entry.steps, names.length)) installs.set(line, history)
  }
  const target = options.lift === undefined ? [] : [{ stage: resolveStages(dockerfile, options).target, steps: [] }]
  const linked = linkCopies(dockerfile, [...filled, ...target], options)
  const linkedCopies = new Set(linked.links.filter((link) => link.linked).map(({ line }) => line))
  const lifted: LiftedWorkdirs | undefined =
    options.lift && liftWorkdirs(dockerfile, { installs, linkedCopies }, options, options.lift)

  stages.push(...(lifted?.stages ?? []))
  const intro = '# image-cache: one stage for each layer of dependencies'
  const above = stages.length === 0 ? '' : `${intro}\n${stages.join('\n')}\n`
  const all = [
    { start: firstFrom.start, end: firstFrom.start, text: above },
    ...(lifted?.edits ?? []),
    ...edits,
    ...shiftedStageNumbers(dockerfile, stages.length),
    ...linked.edits,
  ]
  const links = [...linked.links, ...(lifted?.links ?? [])].sort((a, b) => a.line - b.line)
  return { text: applyEdits(dockerfile.text, all), links, config: lifted?.config }
}

/** The layers of a stage's installs all stand where the first install stood. */
function installHistory(
  steps: readonly InstallStep[],
  layers: number,
): readonly (readonly [line: number, history: readonly HistoryStep[]])[] {
  return inOrder(steps).map(({ lines, command }, index) => {
    const text = `RUN ${command.replace(/\s+/g, ' ')} # image-cache:`
    const history =
      index === 0
        ? Array.from({ length: layers }, (_, layer) => ({
            text: `${text} layer ${layer + 1} of ${layers}`,
            layer: true,
          }))
        : [{ text: `${text} in the layers above`, layer: false }]
    return [lines.first, history]
  })
}

function inOrder(steps: readonly InstallStep[]): readonly InstallStep[] {
  return [...steps].sort((a, b) => a.lines.first - b.lines.first)
}

function replacedSteps(
  dockerfile: Dockerfile,
  steps: readonly InstallStep[],
  names: readonly string[],
): readonly TextEdit[] {
  return inOrder(steps).flatMap((step, index) => {
    const place = dockerfile.stages[step.stage]?.instructions.find(({ lines }) => lines.first === step.lines.first)
    if (place === undefined) throw new RangeError(`no step at line ${step.lines.first} of stage ${step.stage}`)
    const text =
      index === 0
        ? [`# image-cache: layers of: ${step.command}`, ...names.map((name) => `COPY --link --from=${name} /layer/ /`)]
        : [`# image-cache: in the layers above: ${step.command}`]
    return { start: place.start, end: place.end, text: text.join(dockerfile.newline) }
  })
}

/** `COPY --from=0` names a stage by its place, and there are new stages before all others. */
function shiftedStageNumbers({ text, stages }: Dockerfile, added: number): readonly TextEdit[] {
  return stages.flatMap(({ instructions }) =>
    instructions.flatMap(({ keyword, flags, start, headEnd }) => {
      const from = flags.find(({ name }) => name === 'from')?.value ?? ''
      if (keyword !== 'COPY' || !/^\+?\d+$/.test(from)) return []
      const written = /--from=(["']?)(\+?\d+)/.exec(text.slice(start, headEnd))
      if (written === null) throw new RangeError(`the number in --from=${from} is written in an unusual way`)
      const end = start + written.index + written[0].length
      return [{ start: end - (written[2] ?? '').length, end, text: String(Number(from) + added) }]
    }),
  )
}
