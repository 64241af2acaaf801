import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { BrokenEntry, type OpenedEntry } from './archive-source.ts'
import { manifestProblem, totalSize } from './output-manifest.ts'
import { isInPlace, statOutputs } from './read-outputs.ts'
import { planSwap, removeEmptied, stagedPlaces, swapTree } from './swap-tree.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { openStatCache } from './task-stats.ts'

/**
 * Folder in the workspace where outputs are unpacked and compared before they take their place: only there is a rename
 * sure to be one step. It belongs to no input, and goes when the work is done.
 */
const WORK_FOLDER = '.image-cache'

/**
 * Puts a kept result's files into the workspace and removes outputs that it has not. All or nothing: when anything is
 * wrong, the workspace is as it was.
 * @returns whether files were written; not, when all were there already
 * @throws BrokenEntry when the entry is unfit or not as it was written; Error of the file system
 */
export async function restoreOutputs(
  entry: OpenedEntry,
  task: TaskSpec,
  deps: Pick<TaskDeps, 'root' | 'signal' | 'clock' | 'statCacheFolder'>,
): Promise<'written' | 'in-place'> {
  const { root, signal } = deps
  const { outputs } = entry.record
  const patterns = task.outputs.files
  const problem = manifestProblem(outputs, patterns)
  if (problem !== undefined) throw new BrokenEntry(problem)
  if (totalSize(outputs) > task.maxOutputSize) throw new BrokenEntry('its outputs are larger than max-output-size')
  const present = await statOutputs(root, patterns)
  if (await isInPlace(root, outputs, present, signal, () => openStatCache(deps))) return 'in-place'

  const made = outputs.map(({ path }) => path)
  const plan = planSwap(patterns, made, present.selection)
  const work = join(root, WORK_FOLDER, `new-${randomUUID()}`)
  const aside = join(root, WORK_FOLDER, `old-${randomUUID()}`)
  try {
    mkdirSync(work, { recursive: true, mode: 0o700 })
    if (realpathSync(work) !== join(realpathSync(root), relative(root, work))) {
      throw new Error(`${WORK_FOLDER} is a link that leads out of the workspace`)
    }
    await entry.unpack(stagedPlaces(work, plan))
    swapTree(root, work, aside, plan)
    const kept = new Set(outputs.filter(({ kind }) => kind === 'folder').map(({ path }) => path))
    removeEmptied(root, present.selection.paths, kept)
    return 'written'
  } finally {
    // As a rule nothing is left in it.
    if (!removeIfEmpty(work)) rmSync(work, { recursive: true, force: true })
    if (existsSync(aside)) rmSync(aside, { recursive: true, force: true })
    removeIfEmpty(join(root, WORK_FOLDER))
  }
}

/** @returns whether it is gone; not, when another task is at work in it */
function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}
