import { posix } from 'node:path'
import { type CopyStep, isForRoot, isWithin, readCopyStep } from './copy-step.ts'
import type { BuildView, Dockerfile, LineRange } from './dockerfile.ts'
import { leavesFileAlone } from './harmless-run.ts'
import { runMounts } from './run-mounts.ts'
import { resolveStages, type StageGraph } from './stage-graph.ts'
import { expandIn, type StageStep, walkStage } from './stage-steps.ts'

/** Where a file of the image comes from, as far as the Dockerfile tells. */
export type FileOrigin =
  | { readonly kind: 'context'; readonly path: string }
  /** A step that may have written it, by something else than the build context. */
  | { readonly kind: 'unknown'; readonly line: number }
  /** No step brings it. */
  | { readonly kind: 'none' }

/**
 * Finds the file of the build context that a step sees at a path of the image: bind mounts of the step first, then COPY
 * and ADD above it, the last one that writes the path wins.
 * @param at the step, as `findInstalls` gives it.
 * @param imagePath absolute, or relative to the step's working directory.
 * @returns undefined when the content is not surely that of a file in the context.
 */
export function locateInContext(
  dockerfile: Dockerfile,
  at: { readonly stage: number; readonly lines: LineRange },
  imagePath: string,
  view: BuildView,
): string | undefined {
  const graph = resolveStages(dockerfile, view)
  const { steps } = walkStage(graph, at.stage, view)
  const index = steps.findIndex(({ instruction }) => instruction.lines.first === at.lines.first)
  const origin = originOf(imagePath, steps, index, graph, view.contextFiles)
  return origin.kind === 'context' && !isContextLink(origin.path, view) ? origin.path : undefined
}

/** Whether a file of the context is a link, which may lead elsewhere in the image. */
export function isContextLink(path: string, { contextLinks }: BuildView): boolean {
  return contextLinks?.has(path) === true
}

/** The same for callers that have walked the stage already; `index` is the step's place among `steps`. */
export function originOf(
  imagePath: string,
  steps: readonly StageStep[],
  index: number,
  graph: StageGraph,
  contextFiles: readonly string[],
): FileOrigin {
  const step = steps[index]
  if (step === undefined) return { kind: 'none' }
  const path = posix.resolve(step.before.workingDir, imagePath)
  const mounted = mountedFrom(path, step, graph, contextFiles)
  if (mounted !== undefined) return mounted
  for (let at = index - 1; at >= 0; at--) {
    const above = steps[at]
    if (above === undefined) continue
    if (above.instruction.keyword === 'RUN' && !leavesFileAlone(above.instruction, path)) {
      // It only matters if there is something to change.
      const below = originOf(
        path,
        [...steps.slice(0, at), { ...above, instruction: { ...above.instruction, flags: [] } }],
        at,
        graph,
        contextFiles,
      )
      return below.kind === 'none' ? below : { kind: 'unknown', line: above.instruction.lines.first }
    }
    const copy = readCopyStep(above, graph)
    const origin = copy === undefined ? undefined : writtenBy(copy, path, contextFiles, above.instruction.lines.first)
    if (origin !== undefined) return origin
  }
  return { kind: 'none' }
}

function mountedFrom(
  path: string,
  step: StageStep,
  graph: StageGraph,
  contextFiles: readonly string[],
): FileOrigin | undefined {
  const line = step.instruction.lines.first
  for (const mount of runMounts(step.instruction).toReversed()) {
    const target = posix.resolve(step.before.workingDir, expandIn(graph, step, mount.target))
    if (!isWithin(path, target)) continue
    if (mount.type !== 'bind' || mount.from !== undefined) return { kind: 'unknown', line }
    const source = posix
      .join('/', expandIn(graph, step, mount.source))
      .slice(1)
      .replace(/\/$/, '')
    const file = posix.join(source, posix.relative(target, path))
    return contextFiles.includes(file) ? { kind: 'context', path: file } : { kind: 'unknown', line }
  }
  return undefined
}

/** What a COPY or ADD puts at a path; undefined when it surely doesn't write there. */
function writtenBy(
  copy: CopyStep,
  path: string,
  contextFiles: readonly string[],
  line: number,
): FileOrigin | undefined {
  const unknown: FileOrigin = { kind: 'unknown', line }
  if (!isWithin(path, copy.destination)) return undefined
  if (copy.from !== undefined || copy.inline || copy.flags.has('parents') || copy.flags.has('exclude')) return unknown
  const found = copy.sources.toReversed().flatMap((source): readonly FileOrigin[] => {
    if (copy.keyword === 'ADD' && UNPACKED.test(source)) return [unknown]
    const file = contextFiles.find((name) => placesOf(name, source, copy).includes(path))
    return file === undefined ? [] : [{ kind: 'context', path: file }]
  })
  return found[0]
}

/** Whether a COPY from the context may put a file below a folder of the image (not at its very path). */
export function copiesInto(copy: CopyStep, folder: string, contextFiles: readonly string[]): boolean {
  return copiesTo(copy, contextFiles, (path) => path !== folder && isWithin(path, folder))
}

/** Whether a COPY from the context may put a file at such a path of the image. */
export function copiesTo(copy: CopyStep, contextFiles: readonly string[], isMeant: (path: string) => boolean): boolean {
  return copy.sources.some((source) => contextFiles.some((file) => placesOf(file, source, copy).some(isMeant)))
}

/** Whether a COPY from the context may give a folder of the image, not its destination, an unusual mode or owner. */
export function copiesOddFolder(copy: CopyStep, folder: string, { contextFiles, oddFolders = [] }: BuildView): boolean {
  const { destination, sources, flags } = copy
  if (copy.from !== undefined || folder === destination || !isWithin(folder, destination)) return false
  if ((!isForRoot(copy) || flags.has('chmod')) && copiesInto(copy, folder, contextFiles)) return true
  return oddFolders.some((odd) => {
    const places = sources.flatMap((source) => placesOf(`${odd}/x`, source, copy))
    return places.includes(posix.join(folder, 'x'))
  })
}

/** Whether the context's files alone don't tell what a COPY or ADD brings. */
export function isOpaque({ keyword, from, sources, flags }: CopyStep): boolean {
  return (
    from !== undefined || flags.has('parents') || (keyword === 'ADD' && sources.some((source) => UNPACKED.test(source)))
  )
}

/** What ADD fetches or unpacks. */
const UNPACKED = /:\/\/|^git@|\.(?:tar|tgz|gz|bz2|xz|zst|txz|tbz2?)$/

/**
 * Where a file of the context may end up when `source` is copied. A single file goes to the destination or, where that
 * is a folder, into it: the Dockerfile doesn't tell which, but only one of the two can be what a later step names.
 */
function placesOf(file: string, source: string, { destination, isFolder }: CopyStep): readonly string[] {
  const matched = matchingPart(file, source.replace(/\/$/, ''))
  if (matched === undefined) return []
  if (matched !== file) return [posix.join(destination, file.slice(matched === '' ? 0 : matched.length + 1))]
  const within = posix.join(destination, posix.basename(file))
  return isFolder ? [within] : [destination, within]
}

/** The leading folders of a file, or the whole of it, that a source pattern names (Go's filepath.Match, part by part). */
function matchingPart(file: string, source: string): string | undefined {
  if (source === '' || source === '.') return ''
  const patterns = source.split('/')
  const parts = file.split('/').slice(0, patterns.length)
  if (parts.length < patterns.length) return undefined
  return patterns.every((pattern, index) => globPattern(pattern).test(parts[index] ?? '')) ? parts.join('/') : undefined
}

function globPattern(pattern: string): RegExp {
  const parts = pattern.match(/\\.|\[[^\]]+\]|./gs) ?? []
  const source = parts.map((part) => {
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.length > 2 && part.startsWith('[')) return part
    return part.replace(/^\\/, '').replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`)
}
