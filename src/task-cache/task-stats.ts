import { StatCache } from '../content/stat-cache.ts'
import type { TaskDeps } from './task-deps.ts'

/** What is remembered of files of the workspace, inputs and outputs alike; undefined when nothing is to be. */
export async function openStatCache({
  statCacheFolder: folder,
  root,
  clock,
}: Pick<TaskDeps, 'statCacheFolder' | 'root' | 'clock'>): Promise<StatCache | undefined> {
  return folder === undefined ? undefined : StatCache.open({ folder, root, clock })
}
