import { createReadStream, createWriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { messageOf } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import { decodeEntry, encodeEntry, encodeFooter, FOOTER_BYTES } from './entry-codec.ts'
import { digestOfFile, unsealFile } from './entry-file.ts'
import { type EntrySeal, openSeal } from './entry-seal.ts'
import { keyOfPath, newestObject, objectPath, type S3Object } from './s3-object.ts'
import type { Fetch, FetchFile, LookUp, Save, Store, StoreKey, Unavailable } from './store.ts'
import { checkStoreKey } from './store-key.ts'

export interface S3StoreOptions {
  readonly bucket: string
  /** Folder of the entries in the bucket, without slashes at its ends; may be empty. */
  readonly folder: string
  /** Address of the service; undefined means AWS. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  readonly pathStyle?: boolean
  /** Milliseconds that a call may take, retries included; 10 s when not given. */
  readonly timeLimit?: number
  /** Milliseconds that a call with a file may take; 15 minutes when not given. */
  readonly fileTimeLimit?: number
  readonly seal?: EntrySeal
}

type Sdk = typeof import('@aws-sdk/client-s3')

/** From this size on a file goes up in parts of this size, four at a time: that much memory is used, and no more. */
const PART = 16 * 1024 * 1024
const MAX_ENTRY_BYTES = 256 * 1024 * 1024
/** A service may answer 409 to writes of one key at the same time: then the same is asked again. */
const MOST_CONFLICTS = 5

/**
 * Entries as objects of a bucket, with AWS or any service that has the same protocol and knows conditional writes.
 * The login comes from where AWS tools take it (environment, web identity, profile, instance). The order of entries is
 * the time that the service gave them.
 */
export class S3Store implements Store {
  readonly name = 's3'
  readonly #options: S3StoreOptions
  readonly #root: string
  readonly #seal: EntrySeal
  readonly #timeLimit: number
  readonly #fileTimeLimit: number
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined

  constructor(options: S3StoreOptions) {
    this.#options = options
    this.#root = options.folder === '' ? '' : `${options.folder}/`
    this.#seal = options.seal ?? openSeal
    this.#timeLimit = options.timeLimit ?? 10_000
    this.#fileTimeLimit = options.fileTimeLimit ?? 900_000
  }

  async lookUp(prefix: string): Promise<LookUp> {
    return this.#guard(prefix, this.#timeLimit, async (signal) => {
      const found = await this.#find(prefix, signal)
      return found === undefined ? { kind: 'miss' } : { kind: 'hit', key: found.key }
    })
  }

  async fetch(prefix: string): Promise<Fetch> {
    return this.#guard(prefix, this.#timeLimit, async (signal) => {
      const found = await this.#find(prefix, signal)
      if (found === undefined) return { kind: 'miss' }
      if (found.size > MAX_ENTRY_BYTES) return { kind: 'miss', reason: 'the entry is too large to be one of ours' }
      const body = await this.#download(found.key, signal)
      if (body === undefined) return { kind: 'miss' }
      const chunks: Uint8Array[] = []
      for await (const chunk of body) chunks.push(chunk)
      const entry = decodeEntry(Buffer.concat(chunks), found.key, this.#seal)
      if (typeof entry !== 'string') return { kind: 'hit', ...entry }
      return this.#dropBroken(found.key, entry, signal)
    })
  }

  async fetchFile(prefix: string, to: string): Promise<FetchFile> {
    return this.#guard(prefix, this.#fileTimeLimit, async (signal) => {
      const found = await this.#find(prefix, signal)
      const body = found === undefined ? undefined : await this.#download(found.key, signal)
      if (found === undefined || body === undefined) return { kind: 'miss' }
      // Opened first: a file that is there already is not ours to remove.
      const file = await open(to, 'wx', 0o600)
      let isWhole = false
      try {
        await pipeline(body, createWriteStream(to, { fd: file, autoClose: true }), { signal })
        const content = await unsealFile(to, found.key, this.#seal)
        isWhole = typeof content !== 'string'
        if (typeof content === 'string') return await this.#dropBroken(found.key, content, signal)
        return { kind: 'hit', key: found.key, ...content }
      } finally {
        if (!isWhole) await rm(to, { force: true })
      }
    })
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    return this.#guard(key, this.#timeLimit, (signal) => this.#put(key, encodeEntry({ key, body }, this.#seal), signal))
  }

  async saveFile(key: StoreKey, from: string): Promise<Save> {
    return this.#guard(key, this.#fileTimeLimit, async (signal) => {
      const { size } = await stat(from)
      const footer = encodeFooter(key, await digestOfFile(from, size), this.#seal)
      const content = Readable.from(contentThenFooter(from, size, footer), { objectMode: false })
      if (size + FOOTER_BYTES < PART) {
        const chunks: Uint8Array[] = []
        for await (const chunk of content) chunks.push(chunk)
        return this.#put(key, Buffer.concat(chunks), signal)
      }
      // Nothing large is sent for nothing.
      const there = await this.#find(key, signal)
      return there?.key === key ? { kind: 'exists' } : this.#putParts(key, content, size, signal)
    })
  }

  /** One request for up to 1,000 entries: the exact key, else the newest that answers the prefix. */
  async #find(prefix: string, signal: AbortSignal): Promise<S3Object | undefined> {
    const { sdk, client } = await this.#open()
    const found: S3Object[] = []
    let token: string | undefined
    do {
      const page = await client.send(
        new sdk.ListObjectsV2Command({
          Bucket: this.#options.bucket,
          Prefix: this.#root + objectPath(prefix),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        { abortSignal: signal },
      )
      for (const { Key = '', LastModified, Size = 0 } of page.Contents ?? []) {
        const created = LastModified?.getTime() ?? 0
        if (Key.startsWith(this.#root))
          found.push({ key: keyOfPath(Key.slice(this.#root.length)), created, size: Size })
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
    return newestObject(found, prefix)
  }

  async #download(key: StoreKey, signal: AbortSignal): Promise<Readable | undefined> {
    const { sdk, client } = await this.#open()
    try {
      const { Body } = await client.send(
        new sdk.GetObjectCommand({ Bucket: this.#options.bucket, Key: this.#root + objectPath(key) }),
        { abortSignal: signal },
      )
      return Body instanceof Readable ? Body : undefined
    } catch (error) {
      // A lifecycle rule may take it away after it was listed.
      if (statusOf(error) === 404 && error instanceof Error && error.name === 'NoSuchKey') return undefined
      throw error
    }
  }

  async #put(key: StoreKey, bytes: Uint8Array, signal: AbortSignal): Promise<Save> {
    const { sdk, client } = await this.#open()
    return createOnce(signal, () =>
      client.send(
        new sdk.PutObjectCommand({
          Bucket: this.#options.bucket,
          Key: this.#root + objectPath(key),
          Body: bytes,
          IfNoneMatch: '*',
          ContentType: 'application/octet-stream',
        }),
        { abortSignal: signal },
      ),
    )
  }

  async #putParts(key: StoreKey, content: Readable, size: number, signal: AbortSignal): Promise<Save> {
    const { client } = await this.#open()
    const { Upload } = await import('@aws-sdk/lib-storage')
    const abortController = new AbortController()
    signal.addEventListener('abort', () => abortController.abort(signal.reason), { once: true })
    const upload = new Upload({
      client,
      params: {
        Bucket: this.#options.bucket,
        Key: this.#root + objectPath(key),
        Body: content,
        IfNoneMatch: '*',
        ContentType: 'application/octet-stream',
      },
      // An upload may have 10,000 parts.
      partSize: Math.max(PART, Math.ceil((size + FOOTER_BYTES) / 9_000)),
      queueSize: 4,
      abortController,
    })
    try {
      await upload.done()
      return { kind: 'saved' }
    } catch (error) {
      if (statusOf(error) === 412 || statusOf(error) === 409) return { kind: 'exists' }
      throw error
    }
  }

  /** A broken entry would bar its key for ever; who may not remove it leaves it. */
  async #dropBroken(key: StoreKey, reason: string, signal: AbortSignal): Promise<{ kind: 'miss'; reason: string }> {
    const { sdk, client } = await this.#open()
    const command = new sdk.DeleteObjectCommand({ Bucket: this.#options.bucket, Key: this.#root + objectPath(key) })
    await client.send(command, { abortSignal: signal }).catch(() => undefined)
    return { kind: 'miss', reason }
  }

  /** Loaded at the first call: a job that never asks must not pay for it. */
  async #open(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#opened ??= import('@aws-sdk/client-s3').then((sdk) => {
      const { endpoint, region, pathStyle = false } = this.#options
      const client = new sdk.S3Client({
        ...(endpoint === undefined ? {} : { endpoint }),
        // Other services take any region, but the client insists on one.
        ...(region === undefined ? (endpoint === undefined ? {} : { region: 'us-east-1' }) : { region }),
        forcePathStyle: pathStyle,
        maxAttempts: 3,
        // Our own digest covers the content; not every service knows the newer checksums.
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        requestHandler: { connectionTimeout: 3000 },
      })
      return { sdk, client }
    })
    return this.#opened
  }

  async #guard<Answer>(
    key: string,
    timeLimit: number,
    run: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer | Unavailable> {
    const problem = checkStoreKey(key)
    if (problem !== undefined) return { kind: 'unavailable', reason: problem }
    const signal = AbortSignal.timeout(timeLimit)
    try {
      return await run(signal)
    } catch (error) {
      const reason = signal.aborted ? `no answer within ${timeLimit / 1000} s` : reasonOf(error)
      return { kind: 'unavailable', reason }
    }
  }
}

/** Creates an object if there is none: 412 says that there is one, 409 that somebody is just writing one. */
async function createOnce(signal: AbortSignal, create: () => Promise<unknown>): Promise<Save> {
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      await create()
      return { kind: 'saved' }
    } catch (error) {
      if (statusOf(error) === 412) return { kind: 'exists' }
      if (statusOf(error) !== 409 || conflicts === MOST_CONFLICTS) throw error
      await delay(50 * 2 ** conflicts * (0.5 + Math.random()), undefined, { signal })
    }
  }
}

async function* contentThenFooter(file: string, size: number, footer: Buffer): AsyncGenerator<Uint8Array> {
  if (size > 0) yield* createReadStream(file, { end: size - 1, highWaterMark: 1024 * 1024 })
  yield footer
}

function statusOf(error: unknown): number | undefined {
  const metadata = typeof error === 'object' && error !== null ? Reflect.get(error, '$metadata') : undefined
  const status = typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined
  return typeof status === 'number' ? status : undefined
}

/** Name, status and message as the client gives them; several addresses that failed give the first one's message. */
function reasonOf(error: unknown): string {
  const cause = error instanceof AggregateError ? error.errors[0] : error
  const name = cause instanceof Error && cause.name !== 'Error' ? `${cause.name}: ` : ''
  const status = statusOf(error)
  return redact(`${name}${messageOf(cause)}${status === undefined ? '' : ` (${status})`}`)
}
