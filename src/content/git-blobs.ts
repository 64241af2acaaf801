import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { messageOf } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'
import type { EntryStat } from './entry-stat.ts'

/** Ids of files' contents that git knows without reading them; none with the reason when git can't be asked. */
export interface GitBlobs {
  readonly ids: ReadonlyMap<string, string>
  readonly reason: string | undefined
}

/** A file of the index: its content's id, and what the file system said when git read it. */
interface IndexEntry {
  readonly id: string
  size: number
  mtimeMs: number
  ctimeMs: number
}

/** Git must not start programs, ask the network or wait for locks. */
const QUIET = ['-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false']
const ENV = { GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
/** Files that a filter (LFS) or an encoding makes: what lies on the disk isn't what the id stands for. */
const UNFILTERED = ':(attr:!filter !working-tree-encoding)'
const ENTRY = /^([A-Za-z?]) (\d{6}) ([0-9a-f]{40}) (\d)\t(.*)$/
/** Milliseconds within which a change after git's look may leave no trace; more where times are whole seconds. */
const TICK = 100
const COARSE_TICK = 2000

/**
 * Asks git for the ids of the files in its index that lie in the work tree as git left or read them. Nothing is read
 * for that: the times and the size on the disk must be those of the index, and older than the index itself, as else the
 * file could have changed in the same moment. The size must be that of the blob, too: converting line ends or keywords
 * on the way always changes it.
 * @param folder the tree, or a folder in it
 * @param files as they lie on the disk
 */
export async function gitBlobs(
  exec: Exec,
  folder: string,
  files: readonly EntryStat[],
  signal?: AbortSignal,
): Promise<GitBlobs> {
  try {
    const [entries, writtenAt] = await Promise.all([
      indexEntries(exec, folder, signal),
      indexTime(exec, folder, signal),
    ])
    const wanted: { readonly path: string; readonly size: number; readonly id: string }[] = []
    for (const file of files) {
      const entry = entries.get(file.path)
      if (entry !== undefined && isUntouched(file, entry, writtenAt)) {
        wanted.push({ path: file.path, size: file.size, id: entry.id })
      }
    }
    const sizes = await blobSizes(exec, folder, [...new Set(wanted.map(({ id }) => id))], signal)
    const ids = new Map<string, string>()
    for (const { path, size, id } of wanted) if (sizes.get(id) === size) ids.set(path, id)
    return { ids, reason: undefined }
  } catch (error) {
    if (signal?.aborted === true) throw error
    return { ids: new Map(), reason: messageOf(error) }
  }
}

/** Whether a file is still the one that git put into its index, whose file was written at a time. */
function isUntouched(file: EntryStat, entry: IndexEntry, writtenAt: number): boolean {
  const same = (a: number, b: number): boolean => Math.abs(a - b) < 0.01
  const tick = Number.isInteger(file.ctimeMs / 1000) ? COARSE_TICK : TICK
  return (
    same(entry.ctimeMs, file.ctimeMs) &&
    same(entry.mtimeMs, file.mtimeMs) &&
    // Git itself writes a size of zero for entries that it has doubts about.
    entry.size === file.size &&
    Math.max(file.ctimeMs, file.mtimeMs) + tick < writtenAt
  )
}

/** Milliseconds since 1970, by the clock of the file system. */
async function indexTime(exec: Exec, folder: string, signal: AbortSignal | undefined): Promise<number> {
  let path = ''
  await git(exec, folder, ['rev-parse', '--git-path', 'index'], signal, (line) => {
    path = line
  })
  return (await stat(resolve(folder, path))).mtimeMs
}

/** Regular files by paths relative to the folder: tracked, merged, not hidden from git's checks. */
async function indexEntries(
  exec: Exec,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, IndexEntry>> {
  const entries = new Map<string, IndexEntry>()
  let last: IndexEntry | undefined
  // -v marks entries that git was told not to look at; --debug adds what the file system said.
  const args = [...QUIET, 'ls-files', '-s', '-v', '--debug', '--', UNFILTERED]
  await git(exec, folder, args, signal, (line) => {
    if (line.startsWith('  ')) {
      readDetail(line, last)
      return
    }
    const [, tag, mode, id, stage, path] = ENTRY.exec(line) ?? []
    last = undefined
    // Names with quotes or control characters come quoted: they are hashed by content.
    if (id === undefined || path === undefined || path.startsWith('"')) return
    if (tag !== 'H' || stage !== '0' || mode?.startsWith('100') !== true) return
    last = { id, size: -1, mtimeMs: -1, ctimeMs: -1 }
    entries.set(path, last)
  })
  return entries
}

function readDetail(line: string, entry: IndexEntry | undefined): void {
  if (entry === undefined) return
  const letter = line[2]
  // Of six lines for each file three count; a pattern for each would take longer than git does.
  if (letter === 'c' || letter === 'm') {
    const dot = line.lastIndexOf(':')
    const time = Number(line.slice(9, dot)) * 1000 + Number(line.slice(dot + 1)) / 1e6
    if (letter === 'c') entry.ctimeMs = time
    else entry.mtimeMs = time
  } else if (letter === 's') entry.size = Number(line.slice(8, line.indexOf('\t')))
}

async function blobSizes(
  exec: Exec,
  folder: string,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  if (ids.length === 0) return sizes
  const args = ['cat-file', '--buffer', '--batch-check=%(objectname) %(objecttype) %(objectsize)']
  const readSize = (line: string): void => {
    const [id = '', type, size] = line.split(' ')
    if (type === 'blob') sizes.set(id, Number(size))
  }
  await git(exec, folder, args, signal, readSize, `${ids.join('\n')}\n`)
  return sizes
}

async function git(
  exec: Exec,
  folder: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
  onStdoutLine: (line: string) => void,
  input?: string,
): Promise<void> {
  const { exitCode, stderr } = await exec.run('git', args, {
    cwd: folder,
    env: ENV,
    onStdoutLine,
    ...(signal === undefined ? {} : { signal }),
    ...(input === undefined ? {} : { input }),
  })
  if (exitCode === 0) return
  const [line = ''] = stderr.trim().split('\n')
  throw new Error(`git failed: ${line}`)
}
