import type { ComposedPart, CopyPart, NotComposable } from './composed-part.ts'
import { copyPart } from './copy-part.ts'
import { dependencyStageName, environmentStageName, type StageLayers } from './dependency-stage.ts'
import type { Folder } from './lift-workdirs.ts'
import type { CopyLink } from './link-copies.ts'
import type { HistoryStep, RewrittenSteps } from './stage-config.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageStep } from './stage-steps.ts'

/** Layers of dependencies and the step whose place they take. */
export interface ComposedInstall {
  /** First line of the step. */
  readonly line: number
  /** Lines of further steps whose packages they hold. */
  readonly others: readonly number[]
  readonly layers: StageLayers
  /** The stage that their names count for. */
  readonly slots: number
  /** Where the environment comes from its own stage, as that is before its installs. */
  readonly split: { readonly layers: StageLayers; readonly name: string; readonly line: number } | undefined
  /** Whether the step is a COPY of what another stage installs. */
  readonly isTree: boolean
  /** What the history calls the step in a line. */
  readonly title: (line: number) => string
}

export interface PartsQuestion {
  readonly steps: readonly StageStep[]
  readonly below: number
  readonly installs: readonly ComposedInstall[]
  readonly folders: readonly Folder[]
  readonly graph: StageGraph
  /** Places in the text where a destination needs a slash at its end. */
  readonly slashes: readonly number[]
}

export interface LaidParts {
  /** Bottom first. */
  readonly parts: readonly ComposedPart[]
  readonly history: RewrittenSteps
  readonly links: readonly CopyLink[]
}

type Entry = HistoryStep | 'as-written' | 'without-layer'

/** Lays out the parts in the order of the steps, with what the history tells of each. */
export function layParts(question: PartsQuestion): LaidParts | NotComposable {
  const { steps, below, installs, folders, graph, slashes } = question
  const parts: ComposedPart[] = []
  const links: CopyLink[] = []
  const history = new Map<number, readonly Entry[]>()
  const folderLines = new Set(folders.map(({ step }) => step.instruction.lines.first))
  const paths = [...new Set(folders.map(({ path }) => path))]
  let waiting = paths.length > 0
  const slots = new Map<number, number>()
  for (const [index, step] of steps.entries()) {
    const { instruction } = step
    const line = instruction.lines.first
    const entries: Entry[] = []
    const here = installs.filter((install) => install.line === line || install.others.includes(line))
    // Layers of installs that stand lower come first of all, right above what is built of their steps.
    const isBelow = index < below
    if (isBelow && here.length === 0) continue
    const isFolder = folderLines.has(line)
    // All folders come right below the first layer, so that whatever is copied into them lies above.
    const isPlace = waiting && (isFolder || instruction.keyword === 'COPY' || here.length > 0)
    if (isPlace) {
      waiting = false
      parts.push({ kind: 'folders', paths })
      if (!isFolder) entries.push({ text: `WORKDIR ${paths.join(' ')} # image-cache: folders`, layer: true })
    }
    if (isFolder) {
      entries.push(isPlace ? 'as-written' : 'without-layer')
      links.push({ line, linked: true, reason: 'the folder is a layer of its own, so the base image is not needed' })
    }
    for (const install of here) {
      const made = install.line === line ? installParts(install, slots) : []
      parts.push(...made)
      entries.push(...installHistory(install, line, made.length))
    }
    if (instruction.keyword === 'COPY' && here.length === 0) {
      const part = copyPart(step, graph, slashes)
      if ('reason' in part) return part
      parts.push(part)
      entries.push('as-written')
      links.push({ line, linked: true, reason: 'a layer of its own: nothing of the layers below is needed for it' })
    }
    const key = isBelow ? 0 : line
    if (entries.length > 0) history.set(key, [...(history.get(key) ?? []), ...entries])
  }
  return { parts, history, links }
}

function installParts(install: ComposedInstall, slots: Map<number, number>): readonly ComposedPart[] {
  const { layers, split } = install
  const { skeleton } = layers
  const environment: ComposedPart[] =
    skeleton === undefined
      ? []
      : [{ kind: 'group', name: environmentStageName(install.slots), layers, group: NO_PACKAGES, skeleton }]
  const groups = layers.plan.groups.flatMap((group): readonly ComposedPart[] => {
    const slot = (slots.get(install.slots) ?? 0) + 1
    slots.set(install.slots, slot)
    // Of several platforms one may take none of a group's packages.
    if (group.packages.length === 0) return []
    return [{ kind: 'group', name: dependencyStageName(install.slots, slot), layers, group }]
  })
  return [...(split === undefined ? [] : [beginning(install, split)]), ...environment, ...groups]
}

const NO_PACKAGES = { packages: [], size: 0, changeRate: 0, reason: 'the environment itself' } as const

/** The environment as its stage has it before the packages. */
function beginning(
  { line, layers: { prefix } }: ComposedInstall,
  split: NonNullable<ComposedInstall['split']>,
): CopyPart {
  const copy = {
    keyword: 'COPY' as const,
    from: split.name,
    sources: [`${prefix.slice(1)}/`],
    inline: false,
    destination: prefix,
    isFolder: true,
    flags: new Map([['from', split.name]]),
  }
  const text = `COPY --link --from=${split.name} ${prefix}/ ${prefix}/`
  // What is left of the install itself belongs to it, too.
  const until = split.line + (split.layers.steps.some((step) => step.remainder !== undefined) ? 1 : 0)
  return { kind: 'copy', line, copy, text, beginningOf: { stage: split.layers.stage, line: until } }
}

/** The layers of a stage's installs all stand where the first install stood. */
function installHistory(install: ComposedInstall, line: number, length: number): readonly HistoryStep[] {
  const text = `${install.title(line)} # image-cache:`
  if (install.line !== line) return [{ text: `${text} in the layers above`, layer: false }]
  return Array.from({ length }, (_, at) => ({ text: `${text} layer ${at + 1} of ${length}`, layer: true }))
}
