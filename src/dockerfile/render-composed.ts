import type { ComposedPart } from './composed-part.ts'
import type { ComposedPlan } from './composed-plan.ts'
import { dependencyStage, environmentStage, type InstallerSurroundings } from './dependency-stage.ts'
import type { BuildOptions, Dockerfile } from './dockerfile.ts'
import { originalLine } from './original-line.ts'
import { resolveStages, stageChain } from './stage-graph.ts'
import { applyEdits } from './text-edit.ts'

/** The stage that makes what lies below the parts. */
export const BELOW_STAGE = 'image-cache-below'
/** The stage that makes the missing COPY layers, and what lies below the parts. */
export const REST_STAGE = 'image-cache-rest'

/** A Dockerfile with stages of ours below the user's own lines. */
export interface RestDockerfile {
  readonly text: string
  /** The stage to build. */
  readonly target: string
  /** The user's line that stands behind a line of ours. */
  readonly originalLine: (line: number) => number | undefined
}

/**
 * Writes the stages that install groups at their final place, each to be built as an image whose last layer is the group.
 * They stand in a file of their own: nothing of the user's file or build arguments can make another layer of them.
 */
export function renderGroups(parts: readonly ComposedPart[], surroundings: InstallerSurroundings): string {
  const stages = parts.flatMap((part) => (part.kind === 'group' ? [groupStage(part, surroundings)] : []))
  // BuildKit tells the stage of a step only where there are several.
  return [...stages, ...(stages.length === 1 ? ['FROM scratch AS image-cache-none\n'] : [])].join('\n')
}

/** The stage that makes a group's layer at its final place: packages, or the environment that they go to. */
export function groupStage(
  {
    layers,
    group,
    name,
    skeleton,
  }: Pick<Extract<ComposedPart, { kind: 'group' }>, 'layers' | 'group' | 'name' | 'skeleton'>,
  surroundings: InstallerSurroundings,
): string {
  if (skeleton !== undefined) return environmentStage(layers, skeleton, name, 'final')
  return dependencyStage(layers, group, name, surroundings, 'final')
}

/**
 * Writes what else must be built: the user's file as it is, and below it a stage with the steps under the parts, where
 * there are any, and one with the COPY steps whose layers are missing. The user's own target stage isn't built, its
 * other stages are where these need them.
 * @param copies bottom first; their layers are the last ones of the built image, in this order
 */
export function renderRest(
  dockerfile: Dockerfile,
  { below, instead, edits }: ComposedPlan,
  copies: readonly Extract<ComposedPart, { kind: 'copy' }>[],
  options: BuildOptions,
): RestDockerfile {
  const edited = applyEdits(dockerfile.text, edits)
  const own = edited.endsWith('\n') ? edited : `${edited}\n`
  const userLines = own.split('\n').length - 1
  const lines: { readonly text: string; readonly line: number | undefined }[] = []
  lines.push({ text: '# image-cache: what the image has besides layers of dependencies', line: undefined })
  if (below > 0) lines.push(...belowLines(dockerfile, below, instead, options))
  const base = below > 0 ? BELOW_STAGE : 'scratch'
  const target = copies.length === 0 && below > 0 ? BELOW_STAGE : REST_STAGE
  if (target === REST_STAGE) {
    lines.push({ text: `FROM ${base} AS ${REST_STAGE}`, line: undefined })
    lines.push(...copies.map(({ text, line }) => ({ text, line })))
  }
  return {
    text: `${own}${lines.map(({ text }) => text).join('\n')}\n`,
    target,
    originalLine: (line) => {
      if (line > userLines) return lines[line - userLines - 1]?.line
      return edits.length === 0 ? line : originalLine(dockerfile.text, own, line)
    },
  }
}

/** The target's lowest steps once more, in a stage that ends with them. */
function belowLines(
  dockerfile: Dockerfile,
  below: number,
  instead: ReadonlyMap<number, string>,
  options: BuildOptions,
): readonly { readonly text: string; readonly line: number }[] {
  const graph = resolveStages(dockerfile, options)
  let left = below
  for (const index of stageChain(graph, graph.target)) {
    const stage = dockerfile.stages[index]
    if (stage === undefined) break
    const { instructions, from } = stage
    if (left > instructions.length) {
      left -= instructions.length
      continue
    }
    const platform = stage.platform === undefined ? '' : `--platform=${stage.platform} `
    const own = instructions
      .slice(0, left)
      .flatMap(({ start, end, lines }) =>
        (instead.get(lines.first) ?? dockerfile.text.slice(start, end))
          .split('\n')
          .map((text, at) => ({ text, line: Math.min(lines.first + at, lines.last) })),
      )
    return [{ text: `FROM ${platform}${stage.base} AS ${BELOW_STAGE}`, line: from.lines.first }, ...own]
  }
  throw new RangeError(`the target has less than ${below} steps`)
}
