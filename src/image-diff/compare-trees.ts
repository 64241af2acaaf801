import { posix } from 'node:path'
import { type FileNode, type FileTree, followLinks } from './file-tree.ts'
import { noiseAt } from './noise.ts'

/** What about a path differs between two images. */
export type FileAspect = 'only-in-a' | 'only-in-b' | 'kind' | 'mode' | 'owner' | 'target' | 'content' | 'program'

export interface FileDifference {
  /** Absolute. */
  readonly path: string
  readonly aspects: readonly FileAspect[]
  /** As people read it: `mode 755, 700`. */
  readonly detail: string
}

export interface TreeComparison {
  /** Sorted by path. */
  readonly differences: readonly FileDifference[]
  /** How many differences each rule of noise has left out. */
  readonly ignored: ReadonlyMap<string, number>
}

/** Compares two file systems path by path; times and the rules of noise don't count. */
export function compareTrees(a: FileTree, b: FileTree): TreeComparison {
  const differences: FileDifference[] = []
  const ignored = new Map<string, number>()
  for (const path of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [left, right] = [a.get(path), b.get(path)]
    const aspects = [...aspectsOf(left, right), ...(sameProgram(a, left, b, right) ? [] : ['program' as const])]
    if (aspects.length === 0) continue
    const rule = noiseAt(path, left, right)
    if (rule === undefined) differences.push({ path: `/${path}`, aspects, detail: detailOf(aspects, left, right) })
    else ignored.set(rule.name, (ignored.get(rule.name) ?? 0) + 1)
  }
  return { differences, ignored }
}

function aspectsOf(a: FileNode | undefined, b: FileNode | undefined): readonly FileAspect[] {
  if (a === undefined || b === undefined) return [a === undefined ? 'only-in-b' : 'only-in-a']
  if (a.kind !== b.kind) return ['kind']
  const found: FileAspect[] = []
  if (a.mode !== b.mode) found.push('mode')
  if (a.uid !== b.uid || a.gid !== b.gid) found.push('owner')
  if (a.content !== b.content) found.push(a.kind === 'link' ? 'target' : 'content')
  return found
}

/** Of one folder, `python` and `python3.12` are the same where one is a link to the other; an environment's is its own. */
function sameProgram(a: FileTree, left: FileNode | undefined, b: FileTree, right: FileNode | undefined): boolean {
  if (left?.program === right?.program || left === undefined || right === undefined) return true
  if (left.program === undefined || right.program === undefined) return false
  if (posix.dirname(left.program) !== posix.dirname(right.program)) return false
  return followLinks(a, left.program) === followLinks(b, right.program)
}

function detailOf(aspects: readonly FileAspect[], a: FileNode | undefined, b: FileNode | undefined): string {
  return aspects.map((aspect) => describe(aspect, a, b)).join('; ')
}

function describe(aspect: FileAspect, a: FileNode | undefined, b: FileNode | undefined): string {
  const both = (text: (node: FileNode) => string): string => [a, b].map((node) => (node ? text(node) : '-')).join(', ')
  switch (aspect) {
    case 'only-in-a':
      return `only the first image has this ${a?.kind ?? 'file'}`
    case 'only-in-b':
      return `only the second image has this ${b?.kind ?? 'file'}`
    case 'kind':
      return `kind ${both(({ kind }) => kind)}`
    case 'mode':
      return `mode ${both(({ mode }) => mode.toString(8))}`
    case 'owner':
      return `owner ${both(({ uid, gid }) => `${uid}:${gid}`)}`
    case 'target':
      return `target ${both(({ content }) => content)}`
    case 'program':
      return `run by ${both(({ program }) => program ?? '-')}`
    case 'content':
      return `content of ${both(({ size }) => String(size))} bytes`
  }
}
