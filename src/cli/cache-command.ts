import { formatBytes } from '../base/bytes.ts'
import { systemClock } from '../base/clock.ts'
import { formatSeconds } from '../base/duration.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import type { EntryFile } from '../stores/entry-folder.ts'
import { LocalStore } from '../stores/local-store.ts'
import { localFolder, localLimits } from '../stores/open-store.ts'
import { differences, type PastKey } from '../task-cache/explain-miss.ts'
import { decodeHistory } from '../task-cache/key-history.ts'
import { slugOf } from '../task-cache/task-key.ts'
import type { TaskRecord } from '../task-cache/task-record.ts'
import { openEntry } from '../task-cache/unpack-outputs.ts'
import { type CacheEntry, cacheEntry, entryLines, isNamed, isOfTask } from './cache-entries.ts'
import type { CommandWorld } from './command-world.ts'
import { withTerminal } from './with-terminal.ts'

/** What is asked of the local store. */
export type CacheRequest =
  | { readonly kind: 'ls'; readonly task: string | undefined }
  | { readonly kind: 'show'; readonly key: string }
  | { readonly kind: 'why'; readonly earlier: string; readonly later: string }
  | { readonly kind: 'clear'; readonly task: string | undefined }
  | { readonly kind: 'gc' }
  | { readonly kind: 'verify' }

/** Answer to a request: the same for people and for programs. */
interface CacheAnswer {
  readonly lines: readonly string[]
  readonly json: unknown
  readonly exitCode?: number
}

/** `image-cache cache …`: looks into the local store and tidies it. Answers the exit code. */
export async function cacheCommand(request: CacheRequest, json: boolean, world: CommandWorld): Promise<number> {
  return withTerminal(new Map(), world, async () => {
    const folder = localFolder(world.env)
    if (folder === undefined) {
      throw new ImageCacheError('E_INPUT', 'there is no local store: neither XDG_CACHE_HOME nor HOME is set')
    }
    const store = new LocalStore({ folder, ...localLimits(world.env) })
    const answer = await answerTo(request, store, world.signal)
    const text = json ? JSON.stringify(answer.json, null, 2) : answer.lines.join('\n')
    if (text !== '') world.stdout.write(`${text}\n`)
    return answer.exitCode ?? 0
  })
}

async function answerTo(request: CacheRequest, store: LocalStore, signal: AbortSignal): Promise<CacheAnswer> {
  switch (request.kind) {
    case 'ls':
      return list(await chosen(store, request.task))
    case 'show':
      return show(await oneNamed(store, request.key), store, signal)
    case 'why':
      return why(request.earlier, request.later, store)
    case 'clear':
      return removed(await removeAll(await chosen(store, request.task), store), 'removed')
    case 'gc':
      return removed(await store.sweep(), 'let go')
    case 'verify':
      return verify(await store.list(), store)
  }
}

/** Entries of one task, or all, the latest used first. */
async function chosen(store: LocalStore, task: string | undefined): Promise<readonly EntryFile[]> {
  const entries = await store.list()
  const wanted = task === undefined ? entries : entries.filter((entry) => isOfTask(entry, slugOf(task)))
  return wanted.toSorted((a, b) => Math.max(b.used, b.created) - Math.max(a.used, a.created))
}

function list(files: readonly EntryFile[]): CacheAnswer {
  const entries = files.map(cacheEntry)
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  const lines = entries.length === 0 ? [] : entryLines(entries, systemClock.now())
  return { lines: [...lines, `${entries.length} entries, ${formatBytes(total)}`], json: entries }
}

async function oneNamed(store: LocalStore, name: string): Promise<EntryFile> {
  const found = (await store.list()).filter((entry) => isNamed(entry, name))
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  const results = found.filter((entry) => cacheEntry(entry).kind === 'task')
  const [result] = results
  if (result !== undefined && results.length === 1) return result
  const what = found.length === 0 ? 'names no entry' : `names ${found.length} entries`
  throw new ImageCacheError('E_INPUT', `KEY: ${JSON.stringify(name)} ${what}`, {
    hint: 'Give a whole key, or the first digits of a digest in it: image-cache cache ls shows them.',
  })
}

async function show(file: EntryFile, store: LocalStore, signal: AbortSignal): Promise<CacheAnswer> {
  const entry = cacheEntry(file)
  const doubt = await store.check(file)
  const record = entry.kind === 'task' && doubt === undefined ? await recordOf(file, store, signal) : undefined
  const lines = [
    `key      ${entry.key}`,
    `kind     ${entry.kind}`,
    `size     ${formatBytes(entry.bytes)}`,
    `created  ${entry.created}`,
    `used     ${entry.used}`,
    `content  ${doubt ?? 'as it was written'}`,
    ...(record === undefined ? [] : recordLines(record)),
  ]
  return { lines, json: { ...entry, doubt: doubt ?? null, record: record ?? null } }
}

function recordLines({ name, seconds, origin, outputs, values, log }: TaskRecord): readonly string[] {
  return [
    `task     ${name}, ran for ${formatSeconds(seconds)}`,
    ...(origin.run === undefined ? [] : [`run      ${origin.run}`]),
    ...(origin.commit === undefined ? [] : [`commit   ${origin.commit}`]),
    ...outputs.map(
      (output) => `output   ${output.path}${output.kind === 'file' ? `  ${formatBytes(output.size)}` : ''}`,
    ),
    ...Object.entries(values).map(([key, value]) => `value    ${key}=${value}`),
    ...log.map((line) => `log      ${line}`),
  ]
}

/** What is known of a task's result besides its files; undefined when it is none of this version. */
async function recordOf({ key }: EntryFile, store: LocalStore, signal: AbortSignal): Promise<TaskRecord | undefined> {
  const answer = await store.openFile?.(key)
  if (answer?.kind !== 'hit') return undefined
  try {
    const opened = await openEntry(answer, signal)
    opened.close()
    return opened.record
  } catch {
    return undefined
  }
}

/** What differs between two keys of tasks, as the histories of tasks remember them. */
async function why(earlier: string, later: string, store: LocalStore): Promise<CacheAnswer> {
  const histories = (await store.list()).filter((entry) => cacheEntry(entry).kind === 'task-history')
  const known = new Map<string, PastKey>()
  for (const { key } of histories) {
    const answer = await store.fetch(key)
    if (answer.kind !== 'hit') continue
    for (const past of await decodeHistory(answer.body)) known.set(past.key, past)
  }
  const [before, after] = [earlier, later].map((name) => pastNamed([...known.values()], name))
  const phrases = before === undefined || after === undefined ? [] : differences(before.parts, after.parts)
  const lines = phrases.length === 0 ? ['nothing differs that the history tells'] : phrases
  return { lines, json: { earlier: before?.key, later: after?.key, differences: phrases } }
}

function pastNamed(known: readonly PastKey[], name: string): PastKey {
  const wanted = name.toLowerCase().replace(/^sha256:/, '')
  const found = known.filter(
    ({ key }) =>
      wanted.length >= 4 &&
      (key.slice('sha256:'.length).startsWith(wanted) || wanted.includes(key.slice('sha256:'.length))),
  )
  const [first] = found
  if (first !== undefined && found.length === 1) return first
  const what = found.length === 0 ? 'is no key that a history remembers' : `names ${found.length} keys`
  throw new ImageCacheError('E_INPUT', `KEY: ${JSON.stringify(name)} ${what}`, {
    hint: 'Histories hold the last ten keys of each task; give the first digits of one.',
  })
}

async function removeAll(
  entries: readonly EntryFile[],
  store: LocalStore,
): Promise<{ entries: number; bytes: number }> {
  for (const entry of entries) await store.remove(entry)
  return { entries: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) }
}

function removed({ entries, bytes }: { readonly entries: number; readonly bytes: number }, verb: string): CacheAnswer {
  return { lines: [`${verb} ${entries} entries, ${formatBytes(bytes)}`], json: { entries, bytes } }
}

async function verify(entries: readonly EntryFile[], store: LocalStore): Promise<CacheAnswer> {
  const broken: (CacheEntry & { readonly doubt: string })[] = []
  for (const file of entries) {
    const doubt = await store.check(file).catch(messageOf)
    if (doubt !== undefined) broken.push({ ...cacheEntry(file), doubt })
  }
  const lines = broken.map(({ id, kind, doubt }) => `${id}  ${kind}  ${doubt}`)
  return {
    lines: [...lines, `${entries.length} entries, ${broken.length} broken`],
    json: { entries: entries.length, broken },
    exitCode: broken.length === 0 ? 0 : 1,
  }
}
