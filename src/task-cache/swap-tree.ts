import { lstatSync, mkdirSync, realpathSync, renameSync, rmdirSync, rmSync, type Stats } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { codeOf } from '../base/errors.ts'
import { compilePatterns, wholeOf } from './file-patterns.ts'
import type { Selection } from './select-files.ts'

/** What is to be exchanged in a workspace. */
export interface SwapPlan {
  /** Paths that are exchanged as a whole: declared folders and files. */
  readonly whole: readonly string[]
  /** Single paths that lie in none of those: they go, come, or both. */
  readonly single: readonly string[]
}

/**
 * Plans how new outputs take the place of those that are there. A declared folder is exchanged in one step; where a
 * pattern leaves some of a folder alone, each path is.
 * @param patterns declared outputs
 * @param made paths of the new outputs
 * @param present what the patterns name in the workspace now
 */
export function planSwap(patterns: readonly string[], made: readonly string[], present: Selection): SwapPlan {
  const hasNegatives = patterns.some((pattern) => pattern.startsWith('!'))
  const literals = hasNegatives ? [] : [...new Set(patterns.map(wholeOf))].filter((path) => path !== undefined)
  const whole = literals.filter(
    (path) =>
      !literals.some((other) => path.startsWith(`${other}/`)) &&
      // Something in it isn't ours: a repository's history, for one.
      !present.shut.some((folder) => folder.startsWith(`${path}/`)),
  )
  const inWhole = compilePatterns(whole)
  const single = [...new Set([...made, ...present.paths])].filter((path) => !inWhole.matches(path))
  return { whole, single: single.sort() }
}

/**
 * Where each new output waits for its turn: what is exchanged lies side by side under its number in the plan, so that
 * no folders need be made which nothing is kept in.
 * @param staged folder for the new outputs
 */
export function stagedPlaces(staged: string, { whole, single }: SwapPlan): (path: string) => string {
  const numbers = new Map([...whole, ...single].map((path, number) => [path, join(staged, String(number))]))
  return (path) => {
    const own = numbers.get(path)
    if (own !== undefined) return own
    const above = whole.find((one) => path.startsWith(`${one}/`))
    if (above === undefined) throw new Error(`${path} is not part of the plan`)
    return join(numbers.get(above) ?? staged, path.slice(above.length + 1))
  }
}

/**
 * Exchanges outputs in a workspace for those in a staging folder of the same file system. When anything goes wrong,
 * what was there before is there again.
 * @param staged folder with the new outputs, each where `stagedPlaces` puts it
 * @param aside folder that takes the old ones until all is done; made when there are any
 * @throws Error of the file system; Error when a path leads out of the workspace
 */
export function swapTree(root: string, staged: string, aside: string, { whole, single }: SwapPlan): void {
  const undo: (() => void)[] = []
  const move = (from: string, to: string): void => {
    renameSync(from, to)
    undo.push(() => renameSync(to, from))
  }
  try {
    const paths = [...whole, ...single]
    const leaving = insideOf(root)
    for (const [index, path] of paths.entries()) {
      const old = statOf(join(root, path))
      if (old !== undefined) leaving(dirname(path))
      // A folder on its own is no output, unless it is declared as a whole; it goes when nothing is left in it.
      if (old !== undefined && (index < whole.length || !old.isDirectory())) {
        if (undo.length === 0) mkdirSync(aside, { recursive: true, mode: 0o700 })
        move(join(root, path), join(aside, String(index)))
      }
    }
    const coming = insideOf(root)
    for (const [index, path] of paths.entries()) {
      const waiting = join(staged, String(index))
      const fresh = statOf(waiting)
      if (fresh === undefined) continue
      coming(dirname(path))
      const place = join(root, path)
      makeParents(root, path, undo)
      if (statOf(place)?.isDirectory() === true) {
        if (!removeEmpty(place, undo) && fresh.isDirectory()) continue
      }
      move(waiting, place)
    }
  } catch (error) {
    for (const step of undo.reverse()) step()
    throw error
  }
}

/** Removes folders that lost their last output and were no output themselves. */
export function removeEmptied(root: string, gone: readonly string[], kept: ReadonlySet<string>): void {
  for (const path of gone) {
    for (let folder = dirname(path); folder !== '.' && !kept.has(folder); folder = dirname(folder)) {
      if (!removeEmpty(join(root, folder), [])) break
    }
  }
}

/** Makes a check that throws for a folder which lies outside by way of a link; it asks once for each folder. */
function insideOf(root: string): (folder: string) => void {
  const real = realpathSync(root)
  const inside = real.endsWith(sep) ? real : `${real}${sep}`
  const known = new Set(['.'])
  return (path) => {
    for (let folder = path; !known.has(folder); folder = dirname(folder)) {
      known.add(folder)
      if (statOf(join(root, folder)) === undefined) continue
      if (realpathSync(join(root, folder)).startsWith(inside)) return
      throw new Error(`${folder} is a link that leads out of the workspace`)
    }
  }
}

function makeParents(root: string, path: string, undo: (() => void)[]): void {
  const missing: string[] = []
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    if (statOf(join(root, folder)) !== undefined) break
    missing.push(folder)
  }
  for (const folder of missing.reverse()) {
    mkdirSync(join(root, folder))
    undo.push(() => rmSync(join(root, folder), { recursive: true, force: true }))
  }
}

function removeEmpty(folder: string, undo: (() => void)[]): boolean {
  try {
    rmdirSync(folder)
    undo.push(() => mkdirSync(folder))
    return true
  } catch {
    return false
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
