import { constants } from 'node:fs'
import { copyFile, link, lstat, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, messageOf } from '../base/errors.ts'
import { type CachePermission, cachePermission } from './cache-permission.ts'
import { type CapturedOutput, captureOutput } from './captured-output.ts'
import { decodeEntry, encodeEntry } from './entry-codec.ts'
import { sealFile, unsealFile } from './entry-file.ts'
import { type EntrySeal, openSeal } from './entry-seal.ts'
import type { Fetch, FetchFile, LookUp, Miss, Save, Store, StoreKey, Unavailable } from './store.ts'
import { answersPrefix, checkStoreKey } from './store-key.ts'

export interface ActionsStoreOptions {
  /** `GITHUB_WORKSPACE`; must be the working folder of the process, as it is in an action. */
  readonly workspace: string
  /** `ACTIONS_CACHE_MODE`, empty when not set. */
  readonly cacheMode: string
  /** `ACTIONS_RUNTIME_TOKEN`. */
  readonly token: string
  /** Milliseconds that a call may take; the client alone would try again for half a minute. 10 s when not given. */
  readonly timeLimit?: number
  /** Milliseconds that a call with a file may take; 15 minutes when not given. */
  readonly fileTimeLimit?: number
  readonly seal?: EntrySeal
  /** `ENTRY_FILE` or `LEASE_FILE`. */
  readonly entryFile?: string
}

/**
 * The one path under which entries are saved and restored. The client hashes this very text into the entry's version,
 * so it must be the same literal everywhere, and inside the workspace, because archives are unpacked relative to it.
 */
export const ENTRY_FILE = '.image-cache-entry'
/** The same for leases: they must not queue behind the upload of a large file. */
export const LEASE_FILE = '.image-cache-lease'

const MAX_ENTRY_BYTES = 256 * 1024 * 1024

type CacheClient = typeof import('@actions/cache')

/** What came of a call of the client: its value and what it printed, or that it took too long or threw. */
type Called<Value> = { readonly kind: 'done'; readonly value: Value; readonly log: string } | Unavailable

/** Entries in GitHub's Actions cache, by way of `@actions/cache`, which reads its address and token from the environment. */
export class ActionsStore implements Store {
  /** Fetches and saves of this process stand in one line, whoever asks: they share the entry file. */
  static readonly #queues = new Map<string, Promise<unknown>>()

  readonly name = 'actions'
  readonly #options: ActionsStoreOptions
  readonly #workspace: string
  readonly #entryFile: string
  readonly #timeLimit: number
  readonly #fileTimeLimit: number
  readonly #seal: EntrySeal
  readonly #permission: CachePermission
  /** Calls that we gave up on and that still run: they may hold the entry file. */
  #stragglers = 0
  #leases: Store | undefined

  constructor(options: ActionsStoreOptions) {
    this.#options = options
    this.#workspace = options.workspace
    this.#entryFile = options.entryFile ?? ENTRY_FILE
    this.#timeLimit = options.timeLimit ?? 10_000
    this.#fileTimeLimit = options.fileTimeLimit ?? 900_000
    this.#seal = options.seal ?? openSeal
    this.#permission = cachePermission(options.cacheMode, options.token)
  }

  async prepare(): Promise<void> {
    // A client that can't be loaded is told of by the call that needs it.
    await import('@actions/cache').catch(() => undefined)
  }

  get leases(): Store {
    this.#leases ??= new ActionsStore({ ...this.#options, entryFile: LEASE_FILE })
    return this.#leases
  }

  async lookUp(prefix: string): Promise<LookUp> {
    const refusal = this.#refuse(prefix, this.#permission.read)
    if (refusal !== undefined) return refusal
    return this.#lookUp(prefix)
  }

  async fetch(prefix: string): Promise<Fetch> {
    return this.#restore(prefix, this.#timeLimit, MAX_ENTRY_BYTES, async (key) => {
      const entry = decodeEntry(await readFile(this.#path()), key, this.#seal)
      return typeof entry === 'string' ? { kind: 'miss', reason: entry } : { kind: 'hit', ...entry }
    })
  }

  async fetchFile(prefix: string, to: string): Promise<FetchFile> {
    return this.#restore(prefix, this.#fileTimeLimit, Number.POSITIVE_INFINITY, async (key) => {
      const content = await unsealFile(this.#path(), key, this.#seal)
      if (typeof content === 'string') return { kind: 'miss', reason: content }
      await moveFile(this.#path(), to)
      return { kind: 'hit', key, ...content }
    })
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    const bytes = encodeEntry({ key, body }, this.#seal)
    return this.#save(key, this.#timeLimit, (file) => writeFile(file, bytes, { flag: 'wx', mode: 0o600 }))
  }

  async saveFile(key: StoreKey, from: string): Promise<Save> {
    return this.#save(key, this.#fileTimeLimit, (file) => sealFile(from, file, key, this.#seal))
  }

  async #lookUp(prefix: string): Promise<LookUp> {
    const called = await this.#call(this.#timeLimit, (cache) =>
      cache.restoreCache([this.#entryFile], prefix, [], { lookupOnly: true }),
    )
    if (called.kind === 'unavailable') return called
    return readMatch(prefix, called.value, called.log)
  }

  /** @param read takes the entry file in, which is gone afterwards */
  async #restore<Hit>(
    prefix: string,
    timeLimit: number,
    maxBytes: number,
    read: (key: StoreKey) => Promise<Hit | Miss>,
  ): Promise<Hit | Miss | Unavailable> {
    const refusal = this.#refuse(prefix, this.#permission.read) ?? this.#refusePlace()
    if (refusal !== undefined) return refusal
    return this.#alone(async () => {
      const called = await this.#callWithFile(timeLimit, (cache) => cache.restoreCache([this.#entryFile], prefix, []))
      if (called.kind === 'unavailable') return called
      const match = readMatch(prefix, called.value, called.log)
      if (match.kind !== 'hit') return match
      // What is unpacked comes from outside: no link is followed. Nothing huge is read into memory.
      const info = await lstat(this.#path()).catch(() => undefined)
      const isSound = info?.isFile() === true && info.size <= maxBytes
      return isSound ? read(match.key) : { kind: 'miss', reason: 'the entry is not one of ours' }
    })
  }

  /** @param write makes the entry file, which is gone afterwards */
  async #save(key: StoreKey, timeLimit: number, write: (file: string) => Promise<unknown>): Promise<Save> {
    const refusal = this.#refuse(key, this.#permission.write) ?? this.#refusePlace()
    if (refusal !== undefined) return refusal
    return this.#alone(async () => {
      await write(this.#path())
      const called = await this.#callWithFile(timeLimit, (cache) => cache.saveCache([this.#entryFile], key))
      if (called.kind === 'unavailable') return called
      if (called.value !== -1) return { kind: 'saved' }
      // The client answers -1 to a lost race and to every failure alike.
      if (/\(409\)|already_exists|already exists/.test(called.log)) return { kind: 'exists' }
      const reason = failureIn(called.log) ?? 'the client gave no reason'
      if (this.#permission.read !== true) return { kind: 'unavailable', reason }
      const there = await this.#lookUp(key)
      return there.kind === 'hit' && there.key === key ? { kind: 'exists' } : { kind: 'unavailable', reason }
    })
  }

  #refuse(key: string, permission: true | string): Unavailable | undefined {
    const problem = checkStoreKey(key) ?? (permission === true ? undefined : permission)
    if (problem !== undefined) return { kind: 'unavailable', reason: problem }
    if (this.#stragglers === 0) return undefined
    return { kind: 'unavailable', reason: 'an earlier call still has no answer' }
  }

  #refusePlace(): Unavailable | undefined {
    if (process.cwd() === this.#workspace) return undefined
    return { kind: 'unavailable', reason: `the working folder is not the workspace ${this.#workspace}` }
  }

  /** Fetches and saves share one file: one at a time, and the file is gone before and after each. */
  async #alone<Answer>(run: () => Promise<Answer>): Promise<Answer | Unavailable> {
    const before = ActionsStore.#queues.get(this.#entryFile) ?? Promise.resolve()
    const turn = before.then(async (): Promise<Answer | Unavailable> => {
      if (this.#stragglers > 0) return { kind: 'unavailable', reason: 'an earlier call still has no answer' }
      try {
        await this.#removeEntryFile()
        return await run()
      } catch (error) {
        return { kind: 'unavailable', reason: messageOf(error) }
      } finally {
        await this.#removeEntryFile()
      }
    })
    ActionsStore.#queues.set(this.#entryFile, turn)
    return turn
  }

  /** A late answer of a call that we gave up on must not leave the entry file behind. */
  async #callWithFile<Value>(timeLimit: number, run: (cache: CacheClient) => Promise<Value>): Promise<Called<Value>> {
    let givenUp = false
    const called = await this.#call(timeLimit, async (cache) => {
      try {
        return await run(cache)
      } finally {
        if (givenUp) await this.#removeEntryFile()
      }
    })
    givenUp = called.kind === 'unavailable'
    return called
  }

  async #call<Value>(timeLimit: number, run: (cache: CacheClient) => Promise<Value>): Promise<Called<Value>> {
    const output: CapturedOutput = { text: '' }
    const work = captureOutput(output, async () => run(await import('@actions/cache'))).finally(() =>
      removeArchiveFolder(output.text),
    )
    const done = work.then(
      (value): Called<Value> => ({ kind: 'done', value, log: output.text }),
      (error: unknown): Called<Value> => ({ kind: 'unavailable', reason: clean(messageOf(error)) }),
    )
    const timer = new AbortController()
    const answer = await Promise.race([done, after(timeLimit, timer.signal)])
    timer.abort()
    if (answer !== undefined) return answer
    this.#stragglers += 1
    done.finally(() => {
      this.#stragglers -= 1
    })
    const why = failureIn(output.text)
    const reason = `no answer within ${timeLimit / 1000} s`
    return { kind: 'unavailable', reason: why === undefined ? reason : `${reason}: ${why}` }
  }

  #path(): string {
    return join(this.#workspace, this.#entryFile)
  }

  async #removeEntryFile(): Promise<void> {
    await rm(this.#path(), { force: true, recursive: true }).catch(() => undefined)
  }
}

/** The client removes its archive, but not the folder that it made for it, which its log names, nor tar's list in it. */
async function removeArchiveFolder(log: string): Promise<void> {
  const archive = /^::debug::Archive [Pp]ath: (.*)$/m.exec(log)?.[1]
  if (archive === undefined) return
  const folder = dirname(clean(archive))
  await rm(join(folder, 'manifest.txt'), { force: true }).catch(() => undefined)
  await rmdir(folder).catch(() => undefined)
}

/** Moves a file to a place where none is, which may be on another disk. */
async function moveFile(from: string, to: string): Promise<void> {
  try {
    // A link fails where something is already, a rename would not.
    await link(from, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  }
}

/** The client answers undefined to a miss and to every failure alike; but a failure it reports in its log. */
function readMatch(prefix: string, key: string | undefined, log: string): LookUp {
  if (key !== undefined) return answersPrefix(key, prefix) ? { kind: 'hit', key } : { kind: 'miss' }
  const reason = failureIn(log)
  return reason === undefined ? { kind: 'miss' } : { kind: 'unavailable', reason }
}

/** The last warning or error in what the client printed, or the reason of its last retry or skipped call. */
function failureIn(log: string): string | undefined {
  const told = /^::(?:warning|error)[^:]*::(.*)$|^(Attempt \d.*|Failed to save.*|Cache (?:restore|save) skipped.*)$/
  const cause = /^::debug::(Failed to reserve cache: .*)$/
  const lines = log.split(/\r?\n/)
  const line = lines.findLast((text) => cause.test(text)) ?? lines.findLast((text) => told.test(text))
  if (line === undefined) return undefined
  const [, first, second] = cause.exec(line) ?? told.exec(line) ?? []
  return clean(first ?? second ?? '')
}

/** Undoes the escapes of workflow commands, and takes the signature out of addresses. */
function clean(text: string): string {
  const plain = text.replaceAll('%0D', '').replaceAll('%0A', ' ').replaceAll('%25', '%')
  return plain.replace(/([?&]sig=)[^&\s]+/g, '$1***').trim()
}

async function after(milliseconds: number, signal: AbortSignal): Promise<undefined> {
  // The timer is aborted when the answer was faster.
  await delay(milliseconds, undefined, { signal }).catch(() => undefined)
}
