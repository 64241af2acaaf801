import { posix } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import { compilePatterns, patternProblem } from './file-patterns.ts'

/** One output as it is kept. Times and owners are no part of it. */
export type OutputEntry =
  | {
      readonly kind: 'file'
      readonly path: string
      /** Permission bits, without set-user-id and the like. */
      readonly mode: number
      readonly size: number
      readonly digest: Digest
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  /** An empty folder: others follow from the paths in them. */
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }

/**
 * What makes a list of outputs unfit to be written into a workspace, as a sentence; undefined when it is fit. Asked
 * before outputs are kept, and again before they are restored: an entry may come from someone who means harm.
 * @param patterns the task's declared outputs: nothing else may be written
 */
export function manifestProblem(entries: readonly OutputEntry[], patterns: readonly string[]): string | undefined {
  const declared = compilePatterns(patterns)
  const taken = new Map<string, string>()
  for (const { path } of entries) {
    const bad = pathProblem(path)
    if (bad !== undefined) return `the output ${JSON.stringify(path)} ${bad}`
    if (!declared.matches(path)) return `the output ${JSON.stringify(path)} is not declared`
    const folded = fold(path)
    const other = taken.get(folded)
    if (other !== undefined) return `the outputs ${JSON.stringify(other)} and ${JSON.stringify(path)} clash`
    taken.set(folded, path)
  }
  return folderProblem(entries, taken) ?? linkProblem(entries)
}

/** One digest of what a task has made, for tasks that build upon it. */
export function outputsDigest(entries: readonly OutputEntry[], values: Readonly<Record<string, string>>): Digest {
  const files: readonly KeyValue[] = [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((entry): KeyValue => {
      if (entry.kind === 'link') return ['link', entry.path, entry.target]
      return entry.kind === 'folder'
        ? ['folder', entry.path, entry.mode]
        : ['file', entry.path, entry.mode, entry.digest]
    })
  return keyHash({ files, values })
}

/** Bytes of all files. */
export function totalSize(entries: readonly OutputEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.size : 0), 0)
}

function pathProblem(path: string): string | undefined {
  const outside = patternProblem(path)
  if (outside !== undefined) return outside
  if (path.startsWith('!') || path.includes('\\')) return 'has a name that other systems read otherwise'
  return posix.normalize(path) === path && !path.endsWith('/') ? undefined : 'is not written as a plain path'
}

/** Names that file systems without case, or with another form of Unicode, take for one. */
function fold(path: string): string {
  return path.normalize('NFC').toLowerCase()
}

/** A file or link can't be a folder as well: what lies below a link would be written to where it points. */
function folderProblem(entries: readonly OutputEntry[], taken: ReadonlyMap<string, string>): string | undefined {
  for (const { path } of entries) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      const other = taken.get(fold(folder))
      if (other !== undefined)
        return `the output ${JSON.stringify(path)} lies in ${JSON.stringify(other)}, which is no folder`
    }
  }
  return undefined
}

/** A link may point to anything in the workspace, to nothing outside, by its words alone. */
function linkProblem(entries: readonly OutputEntry[]): string | undefined {
  for (const entry of entries) {
    if (entry.kind !== 'link') continue
    const target = posix.normalize(posix.join(posix.dirname(entry.path), entry.target))
    const outside =
      posix.isAbsolute(entry.target) || target === '..' || target.startsWith('../') || /\\|\0/.test(entry.target)
    if (outside) return `the link ${JSON.stringify(entry.path)} points outside the workspace, to ${entry.target}`
  }
  return undefined
}
