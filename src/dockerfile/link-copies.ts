import { posix } from 'node:path'
import { PLAIN_ROOTS, pathsDownTo, placeObstacle } from './base-places.ts'
import { type CopyStep, isForRoot, isWithin, readCopyStep } from './copy-step.ts'
import type { BaseImage, BuildView, Dockerfile, InstallStep, Instruction } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { isSwitchedOff } from './install-text.ts'
import { plainWords } from './instruction-words.ts'
import { copiesInto, copiesOddFolder, originOf } from './locate-in-context.ts'
import { isRoot } from './root-user.ts'
import { resolveStages, type StageGraph, stageChain } from './stage-graph.ts'
import { expandIn, type StageStep, walkStage } from './stage-steps.ts'
import type { TextEdit } from './text-edit.ts'

/** What became of a COPY. A linked one needs nothing of the layers below it, so an empty builder pulls none of them. */
export interface CopyLink {
  readonly line: number
  readonly linked: boolean
  /** One sentence for the report. */
  readonly reason: string
}

/** Folders of the image at a step of the stage. */
interface KnownFolders {
  /** Made by WORKDIR or as the destination of a COPY, or known to be the base image's. */
  readonly made: readonly string[]
  /** Filled from elsewhere than the build context, so links may lie anywhere below. */
  readonly opaque: readonly string[]
  /** Made by a COPY for another user than root. */
  readonly owned: readonly string[]
}

/**
 * Turns plain COPY steps of stages with layers into `COPY --link` where the image comes out the same, and those of stages
 * that such a stage stands on or that stand on it: one plain COPY above the layers would need them all.
 * @param taken first lines of COPY steps that layers take the place of.
 * @returns the edits to the text, and a word on every plain COPY of these stages.
 */
export function linkCopies(
  dockerfile: Dockerfile,
  rewritten: readonly { readonly stage: number; readonly steps: readonly InstallStep[] }[],
  view: BuildView,
  taken: ReadonlySet<number> = new Set(),
): { readonly links: readonly CopyLink[]; readonly edits: readonly TextEdit[] } {
  if (view.linkCopies === 'off') return { links: [], edits: [] }
  const graph = resolveStages(dockerfile, view)
  const links: CopyLink[] = []
  const edits: TextEdit[] = []
  const whole = rewritten.flatMap(({ steps }) => steps.filter(({ remainder }) => remainder === undefined))
  const removed = new Set([...taken, ...whole.map(({ lines }) => lines.first)])
  const remainders = remaindersOf(rewritten.flatMap(({ steps }) => steps))
  const chains = [...graph.reachable, ...rewritten.map(({ stage }) => stage)].map((stage) => stageChain(graph, stage))
  const related = chains.filter((chain) => rewritten.some(({ stage }) => chain.includes(stage))).flat()
  for (const stage of [...new Set(related)].sort((a, b) => a - b)) {
    const found = linkStage(stage, removed, remainders, graph, view)
    links.push(...found.links)
    edits.push(...found.edits)
  }
  return { links, edits }
}

/** What stays of RUN steps, by line. */
export function remaindersOf(steps: readonly InstallStep[]): ReadonlyMap<number, string> {
  return new Map(
    steps.flatMap(({ lines, remainder }) => (remainder === undefined ? [] : [[lines.first, remainder] as const])),
  )
}

/** A RUN without its install, where something of it stays. */
export function withoutInstall(step: StageStep, remainders: ReadonlyMap<number, string>): StageStep {
  const rest = remainders.get(step.instruction.lines.first)
  return rest === undefined
    ? step
    : { ...step, instruction: { ...step.instruction, rest, json: undefined, heredocs: [] } }
}

function linkStage(
  stage: number,
  removed: ReadonlySet<number>,
  remainders: ReadonlyMap<number, string>,
  graph: StageGraph,
  view: BuildView,
): { readonly links: readonly CopyLink[]; readonly edits: readonly TextEdit[] } {
  const { steps, root } = walkStage(graph, stage, view)
  const links: CopyLink[] = []
  const edits: TextEdit[] = []
  const own = [...(root?.places ?? [])].flatMap(([path, what]) => (what === 'plain' ? [path] : []))
  const made = [...own, ...(root?.workingDir ? [posix.resolve('/', root.workingDir)] : [])]
  let folders: KnownFolders = { made, opaque: [], owned: [] }
  let barrier = rootBarrier(steps[0]?.before.user ?? '', (root?.onBuild ?? []).length > 0)
  const runs: StageStep[] = []
  for (const [index, step] of steps.entries()) {
    const { instruction } = step
    const line = instruction.lines.first
    const copy = readCopyStep(step, graph)
    if (copy?.keyword === 'COPY' && step.stage === stage && !copy.flags.has('link') && !removed.has(line)) {
      const obstacle =
        barrier ?? runBarrier(runs, copy.destination) ?? linkObstacle(copy, index, steps, folders, graph, view, root)
      links.push({
        line,
        linked: obstacle === undefined,
        reason: obstacle ?? 'nothing of the layers below is needed for it',
      })
      if (obstacle === undefined) edits.push(...linkEdits(instruction, copy, folders, graph.dockerfile.text))
    }
    if (instruction.keyword === 'RUN' && !removed.has(line)) runs.push(withoutInstall(step, remainders))
    if (instruction.keyword === 'USER')
      barrier ??= `USER in line ${line} may change who owns the folders that it writes to`
    folders = withFolders(folders, step, copy, graph)
  }
  return { links, edits }
}

/** A RUN that stays is in the way unless it surely writes elsewhere. */
function runBarrier(runs: readonly StageStep[], destination: string): string | undefined {
  const run = mayChange(runs, destination)
  return run && `the RUN in line ${run.instruction.lines.first} may change the folders that it writes to`
}

/** The first RUN that may change a path of the image or a folder above it. @param path absolute */
export function mayChange(steps: readonly StageStep[], path: string): StageStep | undefined {
  const [, top = '', second = ''] = path.split('/')
  const folder = top === 'usr' && second === 'src' ? '/usr/src' : `/${top}`
  return steps.find(({ instruction, before }) => {
    return instruction.keyword === 'RUN' && !leavesFolderAlone(instruction, folder, before.workingDir)
  })
}

function rootBarrier(user: string, onBuild: boolean): string | undefined {
  if (onBuild) return 'the base image has ONBUILD triggers'
  return isRoot(user) ? undefined : `the base image's user is ${user}`
}

function withFolders(
  folders: KnownFolders,
  step: StageStep,
  copy: CopyStep | undefined,
  graph: StageGraph,
): KnownFolders {
  const { made, opaque, owned } = folders
  const { keyword, rest } = step.instruction
  if (keyword === 'WORKDIR') {
    return { ...folders, made: [...made, posix.resolve(step.before.workingDir, expandIn(graph, step, rest))] }
  }
  if (copy === undefined) return folders
  const fromContext = copy.keyword === 'COPY' && copy.from === undefined && !copy.flags.has('parents')
  const anew = pathsDownTo(copy.destination).filter((path) => !isThere(path, folders))
  return {
    made: copy.isFolder ? [...made, copy.destination] : made,
    opaque: fromContext ? opaque : [...opaque, copy.destination],
    owned: isForRoot(copy) ? owned : [...owned, ...anew],
  }
}

/** Why linking could show in the image; undefined when it can't. */
function linkObstacle(
  copy: CopyStep,
  index: number,
  steps: readonly StageStep[],
  folders: KnownFolders,
  graph: StageGraph,
  view: BuildView,
  root: BaseImage | undefined,
): string | undefined {
  const instruction = steps[index]?.instruction
  if (instruction !== undefined && isSwitchedOff(instruction)) return 'a comment above it says image-cache: off'
  const other = [...copy.flags.keys()].find((name) => !['from', 'chown', 'exclude'].includes(name))
  if (other === 'chmod') return 'BuildKit does not link a COPY with --chmod'
  if (other !== undefined) return `--${other} has not been looked into`
  const { destination } = copy
  const place = placeObstacle(destination, root)
  if (place !== undefined) return place
  const opaque = folders.opaque.find((folder) => isWithin(destination, folder) || mayWriteInto(copy, folder, view))
  if (opaque !== undefined) return `${opaque} was filled from elsewhere, so a link may lie in the way`
  const inTheWay = pathsDownTo(destination).find(
    (path) =>
      (copy.isFolder || path !== destination) &&
      !isKnownFolder(path, folders) &&
      originOf(path, steps, index, graph, view.contextFiles).kind === 'context',
  )
  if (inTheWay !== undefined) return `${inTheWay} was copied as a file or a link`
  const copies = steps.slice(0, index).flatMap((step) => readCopyStep(step, graph) ?? [])
  const kept = pathsDownTo(destination).find(
    (path) => folders.owned.includes(path) || copies.some((earlier) => copiesOddFolder(earlier, path, view)),
  )
  if (kept !== undefined) return `${kept} was copied with a mode or an owner of its own`
  return (
    ownerObstacle(copy, folders) ??
    targetObstacle(copy, copies, folders, view) ??
    slashObstacle(copy, folders, instruction, graph)
  )
}

/** Whether BuildKit makes the layer of a COPY without looking at what is below: `--link` counts for nothing beside `--chmod`. */
export function isLinked({ flags }: Instruction): boolean {
  const link = flags.find(({ name }) => name === 'link')
  return link !== undefined && link.value !== 'false' && !flags.some(({ name, value }) => name === 'chmod' && value)
}

function mayWriteInto(copy: CopyStep, folder: string, { contextFiles }: BuildView): boolean {
  return copy.from === undefined ? copiesInto(copy, folder, contextFiles) : isWithin(folder, copy.destination)
}

function isThere(path: string, folders: KnownFolders): boolean {
  return path === '/usr' || PLAIN_ROOTS.includes(path) || isKnownFolder(path, folders)
}

function isKnownFolder(path: string, { made }: KnownFolders): boolean {
  return made.some((folder) => isWithin(folder, path))
}

/** Folders that are there already keep their owner in a plain COPY; a linked one would set it. */
function ownerObstacle({ flags, destination }: CopyStep, folders: KnownFolders): string | undefined {
  const owner = flags.get('chown')
  if (owner === undefined || /^0(?::0)?$/.test(owner)) return undefined
  if (!/^\d+(?::\d+)?$/.test(owner)) return `--chown=${owner} is looked up in the image; numbers would not have to be`
  const there = pathsDownTo(destination).find((path) => isThere(path, folders))
  return there === undefined ? undefined : `it would give ${there} to ${owner}`
}

/** A destination without a slash is a folder or a file, depending on what is there and what is copied. */
function targetObstacle(
  copy: CopyStep,
  before: readonly CopyStep[],
  folders: KnownFolders,
  { contextFiles }: BuildView,
): string | undefined {
  if (copy.isFolder || isKnownFolder(copy.destination, folders)) return undefined
  const source = copy.from === undefined && !copy.inline ? copy.sources[0]?.replace(/\/$/, '') : undefined
  if (source !== undefined && contextFiles.some((file) => file !== source && isWithin(file, source))) return undefined
  const isFile = copy.inline || (source !== undefined && contextFiles.includes(source))
  const isFree = !before.some((earlier) => copiesInto(earlier, copy.destination, contextFiles))
  if (isFile && isFree && isKnownFolder(posix.dirname(copy.destination), folders)) return undefined
  return `${copy.destination} may be a file or a folder; a slash at its end would tell`
}

/** What is copied into a folder that is there must not take its place in the new layer. */
function needsSlash(copy: CopyStep, folders: KnownFolders): boolean {
  return !copy.isFolder && isKnownFolder(copy.destination, folders)
}

function slashObstacle(
  copy: CopyStep,
  folders: KnownFolders,
  instruction: Instruction | undefined,
  { dockerfile }: StageGraph,
): string | undefined {
  if (instruction === undefined || !needsSlash(copy, folders)) return undefined
  const written = dockerfile.text.slice(instruction.start, instruction.headEnd).trimEnd()
  const plain =
    instruction.json === undefined && written.endsWith(plainWords(instruction.rest).at(-1) ?? '') && !copy.inline
  return plain ? undefined : `${copy.destination} is a folder and is written without a slash at its end`
}

function linkEdits(
  { start, headEnd, keyword }: Instruction,
  copy: CopyStep,
  folders: KnownFolders,
  text: string,
): readonly TextEdit[] {
  const written = text.slice(start, headEnd)
  const afterKeyword = start + (written.length - written.trimStart().length) + keyword.length
  const end = start + written.trimEnd().length
  const slash = needsSlash(copy, folders) ? [{ start: end, end, text: '/' }] : []
  return [{ start: afterKeyword, end: afterKeyword, text: ' --link' }, ...slash]
}
