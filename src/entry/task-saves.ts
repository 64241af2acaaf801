import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, digestOf, isDigest, toDigest } from '../base/digest.ts'
import { parseJson } from '../base/json-value.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { formatStoreSetting, type StoreSetting } from '../stores/store-setting.ts'
import type { TaskSave } from '../task-cache/task-deps.ts'

/** Name of the state that carries the results of tasks from the main step to the post step. */
export const TASK_SAVES_STATE = 'task-saves'

/** A file that is to become an entry, as it was when the main step ended. */
interface SavedFile {
  readonly key: StoreKey
  /** How the store keeps it: small bodies are read in another way than files. */
  readonly as: 'file' | 'body'
  readonly file: string
  readonly digest: Digest
}

/**
 * Notes entries for the post step. What they hold stays in files: the runner hands states over in the environment,
 * which takes 128 KiB. Their digests go with the list and that of the list in the state, which only the runner holds,
 * so that no step in between can put another content into the store.
 * @param folder where files stay until then; removed at once when there is nothing to keep
 * @returns the state; empty when there is nothing to keep
 */
export async function encodeTaskSaves(
  saves: readonly TaskSave[],
  folder: string,
  store: StoreSetting,
): Promise<string> {
  if (saves.length === 0) {
    await rm(folder, { recursive: true, force: true })
    return ''
  }
  const files: SavedFile[] = []
  for (const [at, save] of saves.entries()) {
    if ('file' in save) files.push({ key: save.key, as: 'file', file: save.file, digest: await fileDigest(save.file) })
    else {
      const file = join(folder, `entry-${at}`)
      await writeFile(file, save.body, { mode: 0o600 })
      files.push({ key: save.key, as: 'body', file, digest: digestOf(save.body) })
    }
  }
  const list = JSON.stringify(files)
  const file = join(folder, 'entries.json')
  await writeFile(file, list, { mode: 0o600 })
  return JSON.stringify({ folder, file, digest: digestOf(list), store: formatStoreSetting(store) })
}

/**
 * Saves what the main step noted, and removes it.
 * @param open opens the store that the main step used
 * @returns a sentence for each entry that could not be kept
 */
export async function saveTasks(state: string, open: (kind: string) => Store): Promise<readonly string[]> {
  if (state === '') return []
  const { folder, file, digest, store } = fields(parseJson(state))
  if (typeof folder !== 'string' || typeof file !== 'string' || typeof store !== 'string') return [BROKEN]
  try {
    const list = await readFile(file).catch(() => undefined)
    if (list === undefined || digestOf(list) !== digest) return [CHANGED]
    const entries: unknown = parseJson(list.toString())
    const troubles: string[] = []
    const opened = open(store)
    for (const entry of Array.isArray(entries) ? entries.filter(isSavedFile) : []) {
      const trouble = await saveOne(entry, opened)
      if (trouble !== undefined) troubles.push(trouble)
    }
    troubles.push(...((await opened.flush?.()) ?? []))
    return [...new Set(troubles)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const BROKEN = 'results of tasks were not kept: the state of this step is broken'
const CHANGED = 'results of tasks were not kept: their list was changed after the tasks'

async function saveOne({ key, as, file, digest }: SavedFile, store: Store): Promise<string | undefined> {
  const now = await fileDigest(file).catch(() => undefined)
  if (now !== digest) return 'the result of a task was not kept: its file was changed after the task'
  const saved = as === 'file' ? await store.saveFile(key, file) : await store.save(key, await readFile(file))
  return saved.kind === 'unavailable'
    ? `the result of a task was not kept: ${store.name} store: ${saved.reason}`
    : undefined
}

async function fileDigest(file: string): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return toDigest(`sha256:${hash.digest('hex')}`)
}

function isSavedFile(value: unknown): value is SavedFile {
  const { key, as, file, digest } = fields(value)
  if (as !== 'file' && as !== 'body') return false
  return typeof key === 'string' && typeof file === 'string' && typeof digest === 'string' && isDigest(digest)
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
