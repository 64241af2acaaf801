import { messageOf } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'
import type { EntryStat } from './entry-stat.ts'

/** Ids of files' contents that git knows without reading them; none with the reason when git can't be asked. */
export interface GitBlobs {
  readonly ids: ReadonlyMap<string, string>
  readonly reason: string | undefined
}

/** Git must not start programs, ask the network or wait for locks; and its quick checks must look at all times. */
const QUIET = [
  ...['-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false', '-c', 'core.untrackedCache=false'],
  ...['-c', 'core.checkStat=default', '-c', 'core.trustctime=true'],
]
const ENV = { GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
/** Files that a filter (LFS) or an encoding makes: what lies on the disk isn't what the id stands for. */
const UNFILTERED = ':(attr:!filter !working-tree-encoding)'
const ENTRY = /^([A-Za-z?]) (\d{6}) ([0-9a-f]{40}) (\d)\t(.*)$/
const TIME = /^ {2}([cm])time: (\d+):(\d+)$/

/** A file of the index: its content's id and the times, in milliseconds, that the file had when git read it. */
interface IndexEntry {
  readonly id: string
  mtimeMs: number
  ctimeMs: number
}

/**
 * Asks git for the ids of the files in its index that lie unchanged in the work tree. A file counts only when its size
 * on the disk is that of the blob: converting line ends or keywords between the two always changes the size.
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
    const clean = await cleanEntries(exec, folder, signal)
    const wanted = files.flatMap((file) => {
      const entry = clean.get(file.path)
      return entry !== undefined && sameTimes(entry, file) ? [{ ...file, id: entry.id }] : []
    })
    const sizes = await blobSizes(exec, folder, [...new Set(wanted.map(({ id }) => id))], signal)
    const same = wanted.filter(({ id, size }) => sizes.get(id) === size)
    return { ids: new Map(same.map(({ path, id }) => [path, id])), reason: undefined }
  } catch (error) {
    if (signal?.aborted === true) throw error
    return { ids: new Map(), reason: messageOf(error) }
  }
}

/** Paths relative to the folder with their ids: tracked, merged, unchanged, not hidden from git's checks. */
async function cleanEntries(
  exec: Exec,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, IndexEntry>> {
  const clean = new Map<string, IndexEntry>()
  const changed = new Set<string>()
  let last: IndexEntry | undefined
  // -v marks entries that git was told not to look at; -m lists again, as C, what differs, -d as R what is gone.
  const which = ['--cached', '--modified', '--deleted', '--', UNFILTERED]
  await git(exec, folder, [...QUIET, 'ls-files', '-s', '-v', '--debug', ...which], signal, (line) => {
    if (line.startsWith('  ')) return readTime(line, last)
    const [, tag, mode, id, stage, path] = ENTRY.exec(line) ?? []
    last = undefined
    // Names with quotes or control characters come quoted: they are hashed by content.
    if (id === undefined || path === undefined || path.startsWith('"')) return
    if (tag === 'H' && stage === '0' && mode?.startsWith('100') === true) {
      last = { id, mtimeMs: 0, ctimeMs: 0 }
      clean.set(path, last)
    } else changed.add(path)
  })
  for (const path of changed) clean.delete(path)
  return clean
}

function readTime(line: string, entry: IndexEntry | undefined): void {
  const [, which, seconds, nanoseconds] = TIME.exec(line) ?? []
  if (entry === undefined || which === undefined) return
  const time = Number(seconds) * 1000 + Number(nanoseconds) / 1e6
  if (which === 'c') entry.ctimeMs = time
  else entry.mtimeMs = time
}

/** Git compares whole seconds, so a change within one second, with the old time put back, is none for it. */
function sameTimes(entry: IndexEntry, file: EntryStat): boolean {
  const same = (a: number, b: number): boolean => Math.abs(a - b) < 0.01
  return same(entry.ctimeMs, file.ctimeMs) && same(entry.mtimeMs, file.mtimeMs)
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
  const input = `${ids.join('\n')}\n`
  await git(
    exec,
    folder,
    args,
    signal,
    (line) => {
      const [id = '', type, size] = line.split(' ')
      if (type === 'blob') sizes.set(id, Number(size))
    },
    input,
  )
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
  throw new Error(`git ${args.find((word) => /^[a-z]+-files?$/.test(word)) ?? ''} failed: ${line}`)
}
