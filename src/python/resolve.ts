import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, storeKey, withValue } from '../stores/store-key.ts'
import type { LibcRange } from './libc-range.ts'
import { readPylock, type UnbuiltPackage } from './pylock.ts'
import { decodeLock, encodeLock, type LockedPackages, RESOLUTION_FORMAT } from './remembered-resolution.ts'
import type { RequirementLine } from './requirement-line.ts'
import type { IndexSettings, Resolution } from './resolution.ts'
import { LOCK_FILE, readWheelSizes, resolveScript, SIZES_FILE, WHEEL_SIZES_PY } from './resolve-script.ts'
import { readSharedFiles, SHARED_FILES, SHARED_FILES_PY, type SharedFiles } from './shared-files.ts'
import { machineOf } from './wheel-tags.ts'

/** A package that is there before, by its normalised name. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
}

/** Everything that decides a resolution. All requirements are resolved together. */
export interface ResolveRequest {
  /** Builder image with Python and uv, by digest. */
  readonly image: string
  /** `3.12` or, where known, `3.12.4`. */
  readonly pythonVersion: string
  /** `linux/amd64` */
  readonly platform: string
  /** What is known of the image's C library; nothing when absent. */
  readonly libc?: LibcRange
  readonly requirements: readonly RequirementLine[]
  readonly constraints: readonly RequirementLine[]
  readonly onlyBinary: readonly string[]
  readonly settings: IndexSettings
  readonly installer: 'pip' | 'uv'
  /** What lies there already, and is kept where it will do. */
  readonly installed?: readonly InstalledPackage[]
  /** The requirements are a whole lock, so that only their wheels are asked for. */
  readonly noDeps?: boolean
  readonly salt: string
  /** Ask the index anew although an answer is remembered. */
  readonly relock: boolean
}

/**
 * Runs a script with /bin/sh in the builder image, in a work folder that holds `files`.
 * `outputs` are the files that the script left in `/out`, by name. With `relock` no cached run may answer.
 */
export type RunInstaller = (run: {
  readonly image: string
  readonly script: string
  readonly files: Readonly<Record<string, string>>
  readonly relock: boolean
}) => Promise<
  | { readonly kind: 'done'; readonly outputs: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly stderr: string }
>

export type ResolveResult =
  | {
      readonly kind: 'resolved'
      readonly resolution: Resolution
      /** Packages of the lock that no wheel gives: they are not in the resolution. */
      readonly unbuilt: readonly UnbuiltPackage[]
      readonly shared: SharedFiles
      readonly source: 'remembered' | 'asked'
      readonly seconds: number
      /** Why the store could not be used, if so. */
      readonly storeTrouble: string | undefined
    }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * Finds the exact packages for a set of requirements: from memory when nothing that decides them changed, else by
 * asking the installer in the builder image. A store that is down only costs the memory.
 */
export async function resolve(
  request: ResolveRequest,
  run: RunInstaller,
  store: Store,
  clock: Clock = systemClock,
): Promise<ResolveResult> {
  const { pythonVersion, platform, settings, image, relock, installed = [] } = request
  const files = {
    'requirements.in': linesOf(request.requirements),
    'constraints.in': linesOf(request.constraints),
    'wheel-sizes.py': WHEEL_SIZES_PY,
    'shared-files.py': SHARED_FILES_PY,
    ...(installed.length === 0 ? {} : { 'installed.toml': installedLock(installed) }),
  }
  const pinned = pinnedHashes(request)
  const question = {
    key: resolutionKey(request),
    image,
    script: script(request),
    files,
    relock,
    pythonVersion,
    platform,
    pinned,
    ...(request.libc === undefined ? {} : { libc: request.libc }),
  }
  const answer = await askForLock(question, run, store, clock)
  if (answer.kind === 'failed') return answer
  const { lock, source, seconds, storeTrouble } = answer
  const { packages, unbuilt, shared } = lock
  return {
    kind: 'resolved',
    source,
    seconds,
    storeTrouble,
    resolution: { pythonVersion, platform, settings, packages },
    unbuilt,
    shared,
  }
}

/** A script that answers with a lock, and what it is asked about. */
export interface LockQuestion {
  /** Of everything that decides the answer, without the time that each entry carries behind it. */
  readonly key: StoreKey
  readonly image: string
  readonly script: string
  readonly files: Readonly<Record<string, string>>
  readonly relock: boolean
  readonly pythonVersion: string
  readonly platform: string
  readonly libc?: LibcRange
  /** Hashes that the requirements pin, by package. */
  readonly pinned: ReadonlyMap<string, readonly string[]>
}

export type LockAnswer =
  | {
      readonly kind: 'locked'
      readonly lock: LockedPackages
      readonly source: 'remembered' | 'asked'
      readonly seconds: number
      readonly storeTrouble: string | undefined
    }
  | { readonly kind: 'failed'; readonly reason: string }

/** Answers from memory, or by running the script. A store that is down only costs the memory. */
export async function askForLock(
  question: LockQuestion,
  run: RunInstaller,
  store: Store,
  clock: Clock,
): Promise<LockAnswer> {
  const start = clock.now()
  if (machineOf(question.platform) === undefined) {
    return {
      kind: 'failed',
      reason: `wheels for the platform ${question.platform} are not planned; linux/amd64 and linux/arm64 are`,
    }
  }
  const remembered = question.relock ? undefined : await recall(store, question.key)
  let trouble = remembered?.trouble
  const answer = (lock: LockedPackages, source: 'remembered' | 'asked'): LockAnswer => {
    return { kind: 'locked', lock, source, seconds: (clock.now() - start) / 1000, storeTrouble: trouble }
  }
  if (remembered?.lock !== undefined) return answer(remembered.lock, 'remembered')

  const asked = await ask(question, run)
  if (asked.kind === 'failed') return asked
  // Entries are immutable: a newer answer to the same question stands beside the older under a later time.
  const time = String(Math.floor(clock.now())).padStart(14, '0')
  const saved = await store.save(withValue(question.key, time), encodeLock(asked.lock))
  if (saved.kind === 'unavailable') trouble ??= saved.reason
  return answer(asked.lock, 'asked')
}

/** The store key without the time that each entry carries behind it. Users and passwords of index URLs are no part of it, not even hashed. */
export function resolutionKey(request: ResolveRequest): StoreKey {
  const texts = (lines: readonly RequirementLine[]): readonly string[] =>
    [...new Set(lines.map((line) => `${line.text} ${[...line.hashes].sort().join(' ')}`))].sort()
  const { settings } = request
  const publicSettings: IndexSettings = {
    indexUrl: settings.indexUrl === undefined ? undefined : withoutLogin(settings.indexUrl),
    extraIndexUrls: settings.extraIndexUrls.map(withoutLogin),
    findLinks: settings.findLinks.map(withoutLogin),
    preReleases: settings.preReleases,
  }
  return storeKey('resolution', request.salt, {
    format: RESOLUTION_FORMAT,
    image: request.image,
    // The script holds the platform, the Python version, the settings and how we ask.
    script: script({ ...request, settings: publicSettings }),
    requirements: texts(request.requirements),
    constraints: texts(request.constraints),
    ...(request.installed === undefined ? {} : { installed: installedLock(request.installed) }),
  })
}

/** A lock of names and versions alone. */
function installedLock(installed: readonly InstalledPackage[]): string {
  const packages = installed.map(
    ({ name, version }) => `[[packages]]\nname = ${JSON.stringify(name)}\nversion = ${JSON.stringify(version)}\n`,
  )
  return ['lock-version = "1.0"\ncreated-by = "image-cache"\n', ...packages.sort()].join('')
}

async function recall(
  store: Store,
  prefix: StoreKey,
): Promise<{ readonly lock?: LockedPackages | undefined; readonly trouble?: string }> {
  const found = await store.fetch(prefix)
  if (found.kind === 'unavailable') return { trouble: found.reason }
  return found.kind === 'hit' && answersPrefix(found.key, prefix) ? { lock: decodeLock(found.body) } : {}
}

type Asked =
  | { readonly kind: 'asked'; readonly lock: LockedPackages }
  | { readonly kind: 'failed'; readonly reason: string }

async function ask(question: LockQuestion, run: RunInstaller): Promise<Asked> {
  const { image, script, files, relock, pinned } = question
  let result: Awaited<ReturnType<RunInstaller>>
  try {
    result = await run({ image, script, files, relock })
  } catch (error) {
    return { kind: 'failed', reason: redact(messageOf(error)) }
  }
  if (result.kind === 'failed') return { kind: 'failed', reason: failureReason(result.stderr) }
  const lock = result.outputs[LOCK_FILE]
  if (lock === undefined) return { kind: 'failed', reason: 'the installer left no lock file' }
  const read = readPylock(lock, question, { sizes: readWheelSizes(result.outputs[SIZES_FILE] ?? ''), pinned })
  if (read.kind === 'failed') return { kind: 'failed', reason: redact(read.reason) }
  const shared = readSharedFiles(result.outputs[SHARED_FILES] ?? '')
  return { kind: 'asked', lock: { ...read, shared, indexes: read.indexes.map(withoutLogin) } }
}

function script(request: ResolveRequest): string {
  const { constraints, installed = [] } = request
  return resolveScript({ ...request, hasConstraints: constraints.length > 0, hasInstalled: installed.length > 0 })
}

function linesOf(lines: readonly RequirementLine[]): string {
  return [...new Set(lines.map((line) => line.text))]
    .sort()
    .map((text) => `${text}\n`)
    .join('')
}

/** Hashes that the user pinned, by package: constraints may pin them as well. */
function pinnedHashes(request: ResolveRequest): ReadonlyMap<string, readonly string[]> {
  const pinned = new Map<string, readonly string[]>()
  for (const { name, hashes } of [...request.requirements, ...request.constraints]) {
    if (hashes.length > 0) pinned.set(name, [...(pinned.get(name) ?? []), ...hashes])
  }
  return pinned
}

/** What the resolver said, without the builder's progress around it: from its first word of trouble, twelve lines at most. */
export function failureReason(stderr: string): string {
  const lines = redact(stderr)
    .split(/\r?\n/)
    .map((line) => line.replace(/^#\d+ (?:\d+\.\d+ )?/, '').trimEnd())
    .filter((line) => line.trim() !== '')
  const first = lines.findIndex((line) => /^\s*(?:×|error:|x )/i.test(line))
  const told = first === -1 ? lines.slice(-4) : lines.slice(first, first + 12)
  const end = first === -1 ? -1 : told.findIndex((line) => /^(?:-{4,}|ERROR: |Dockerfile:)/.test(line))
  const text = (end > 0 ? told.slice(0, end) : told).map((line) => line.trim()).join(' ')
  return text === ''
    ? 'the resolver failed without a word'
    : text
        .replace(/[×╰─▶│]+\s*/gu, '')
        .replace(/\s+/g, ' ')
        .trim()
}

function withoutLogin(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/i, '$1')
}
