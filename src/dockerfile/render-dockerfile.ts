import {
  dependencyStage,
  dependencyStageName,
  type InstallerSurroundings,
  type StageLayers,
} from './dependency-stage.ts'
import type { BuildView, Dockerfile, InstallStep } from './dockerfile.ts'
import { type CopyLink, linkCopies } from './link-copies.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

export interface RenderedDockerfile {
  readonly text: string
  /** What became of the user's own COPY steps in stages with layers, in the order of the file. */
  readonly links: readonly CopyLink[]
}

/**
 * Writes the *linked* form: a stage for each group above the user's first FROM, and `COPY --link` of the groups where the
 * first install of a stage stood. Every other line stays as it was, byte for byte, but for COPY steps that are linked and
 * stage numbers in `COPY --from`, which count the new stages as well.
 * @param layers bottom layer first, each. Several of one stage (different settings) are allowed.
 */
export function renderLinked(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  options: BuildView & InstallerSurroundings,
): RenderedDockerfile {
  const filled = layers.filter(({ plan, steps }) => plan.groups.length > 0 && steps.length > 0)
  const firstFrom = dockerfile.stages[0]?.from
  if (filled.length === 0 || firstFrom === undefined) return { text: dockerfile.text, links: [] }

  const stages: string[] = []
  const edits: TextEdit[] = []
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
  }
  const intro = '# image-cache: one stage for each layer of dependencies'
  const above = `${intro}\n${stages.join('\n')}\n`
  const linked = linkCopies(dockerfile, filled, options)
  edits.push(
    { start: firstFrom.start, end: firstFrom.start, text: above },
    ...shiftedStageNumbers(dockerfile, stages.length),
    ...linked.edits,
  )
  return { text: applyEdits(dockerfile.text, edits), links: linked.links }
}

function replacedSteps(
  dockerfile: Dockerfile,
  steps: readonly InstallStep[],
  names: readonly string[],
): readonly TextEdit[] {
  const sorted = [...steps].sort((a, b) => a.lines.first - b.lines.first)
  return sorted.flatMap((step, index) => {
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
