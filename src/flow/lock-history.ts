import { basename, dirname } from 'node:path'
import type { Exec } from '../exec/exec.ts'
import { addChange, type ChangeHistory, NO_HISTORY, REMEMBERED_CHANGES } from '../layers/change-history.ts'
import { type LockVersions, readLockVersions } from '../python/lock-versions.ts'

/**
 * What the repository's commits tell of past lock changes: the start of a history where no plan is remembered. A clone
 * of depth 1, as jobs usually have it, or a folder without git tells nothing, and that is no error.
 * @param files absolute paths of lock or requirements files
 * @param present normalised names of the packages that are to be placed
 */
export async function historyOfLocks(
  files: readonly string[],
  present: readonly string[],
  exec: Exec,
  signal: AbortSignal,
): Promise<ChangeHistory> {
  const histories = await Promise.all(files.map((file) => versionsOverTime(file, exec, signal).catch(() => [])))
  // Several files rarely change together; the one with the most to tell stands for the repository.
  const [longest = []] = [...histories].sort((a, b) => b.length - a.length)
  let history = NO_HISTORY
  for (const [at, versions] of longest.entries()) {
    const before = longest[at - 1]
    const changed = before === undefined ? [] : present.filter((name) => before.get(name) !== versions.get(name))
    // A change of packages that the image hasn't got says nothing of its layers.
    if (changed.length > 0) history = addChange(history, new Set(changed), present)
  }
  return history
}

/** The file's versions in each commit that touched it, oldest first. */
async function versionsOverTime(file: string, exec: Exec, signal: AbortSignal): Promise<readonly LockVersions[]> {
  const cwd = dirname(file)
  const name = basename(file)
  const options = { cwd, signal }
  const range = ['--first-parent', `--max-count=${REMEMBERED_CHANGES + 1}`]
  const log = await exec.run('git', ['log', ...range, '--format=%H', '--', name], options)
  const commits = log.exitCode === 0 ? log.stdout.split('\n').filter((line) => line !== '') : []
  if (commits.length < 2) return []
  const lines: string[] = []
  const input = `${commits.map((commit) => `${commit}:./${name}`).join('\n')}\n`
  const read = await exec.run('git', ['cat-file', '--batch'], {
    ...options,
    input,
    onStdoutLine: (line) => lines.push(line),
  })
  if (read.exitCode !== 0) return []
  return blobsOf(lines)
    .toReversed()
    .flatMap((text) => readLockVersions(name, text) ?? [])
}

/**
 * Splits what `git cat-file --batch` prints: a line `<id> blob <bytes>`, then the content. Lines come without carriage
 * returns, so bytes can't be counted; no lock has a line that looks like git's.
 */
function blobsOf(lines: readonly string[]): readonly string[] {
  const starts = lines.flatMap((line, at) => (/^[0-9a-f]{40,64} blob \d+$/.test(line) ? [at] : []))
  return starts.map((start, index) => lines.slice(start + 1, starts[index + 1]).join('\n'))
}
