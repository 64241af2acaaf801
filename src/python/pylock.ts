import { parse, type TomlTable, type TomlValue } from 'smol-toml'
import type { Libc } from '../base/libc.ts'
import { SOME_LIBC } from './libc-range.ts'
import { evaluateMarker, type MarkerChoice } from './markers.ts'
import { normalizeName } from './package-name.ts'
import { meetsConstraint } from './poetry-version.ts'
import type { ResolvedPackage } from './resolution.ts'
import { isTable, listOf } from './toml-values.ts'
import { bestWheel, parseWheelName, type WheelTarget, wheelRank } from './wheel-tags.ts'

/** What is known besides the lock file. */
export interface LockFacts {
  /** Direct dependencies by package, normalised names. */
  readonly dependencies?: ReadonlyMap<string, readonly string[]>
  /** Bytes by wheel file name, for locks without sizes. */
  readonly sizes?: ReadonlyMap<string, number>
  /** Hashes that the requirements pin, by package: other wheels may not be taken. */
  readonly pinned?: ReadonlyMap<string, readonly string[]>
  /** Whether an installer reads the lock as it is, without extras and with its default groups (PEP 751, "default-groups"). */
  readonly isInstalled?: boolean
}

/** A package of a lock that no wheel of an index gives. */
export interface UnbuiltPackage {
  readonly name: string
  /** Folder of the project that holds it, relative; undefined for all but local folders. */
  readonly folder: string | undefined
  /** Why there is no wheel, a sentence that begins with the name. */
  readonly reason: string
}

/** What a lock holds for a target, or why it can't be read. */
export type PylockResult =
  | {
      readonly kind: 'packages'
      readonly packages: readonly ResolvedPackage[]
      /** Sorted by name. */
      readonly unbuilt: readonly UnbuiltPackage[]
      /** Indexes that the lock names, the most used first. */
      readonly indexes: readonly string[]
      /** Packages of which the lock doesn't say which index has them. */
      readonly withoutIndex: readonly string[]
    }
  | { readonly kind: 'failed'; readonly reason: string }

interface Wheel {
  readonly fileName: string
  readonly size: number | undefined
  readonly uploadedAt: number | undefined
  readonly hash: string | undefined
}

/**
 * Reads a lock file (PEP 751) for one target: each package with the wheel that an installer would take there, sorted
 * by name. Packages whose marker doesn't hold are left out; those that no wheel gives are told apart.
 * @param text of a pylock.toml
 * @param target the platform and Python that wheels are chosen for
 * @param facts what is known besides, such as sizes that the lock doesn't tell
 * @returns `failed` with the reason for a text that is no lock, or a lock of an unknown version
 */
export function readPylock(text: string, target: WheelTarget, facts: LockFacts = {}): PylockResult {
  let lock: TomlTable
  try {
    lock = parse(text)
  } catch (error) {
    return failed(
      `the lock is no TOML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    )
  }
  const format = lock['lock-version']
  if (typeof format !== 'string' || !/^1\.\d+$/.test(format)) {
    return failed(`the lock's version ${JSON.stringify(format)} is not one that this version reads (1.0)`)
  }
  const pythons = lock['requires-python']
  if (
    facts.isInstalled === true &&
    typeof pythons === 'string' &&
    meetsConstraint(target.pythonVersion, pythons) === false
  )
    return failed(`the lock is for Python ${pythons}, the image has ${target.pythonVersion}`)
  const groups = new Set(listOf(lock['default-groups']).map((name) => normalizeName(String(name))))
  const choice = facts.isInstalled === true ? { extras: new Set<string>(), groups } : undefined
  const packages = new Map<string, ResolvedPackage>()
  const withoutIndex: string[] = []
  const unbuilt: UnbuiltPackage[] = []
  const indexes = new Map<string, number>()
  for (const entry of listOf(lock.packages)) {
    const read = readPackage(entry, target, facts, choice)
    if (read === undefined) continue
    if (typeof read === 'string') return failed(read)
    if (packages.has(read.name) || unbuilt.some(({ name }) => name === read.name))
      return failed(`the lock holds ${read.name} twice for this platform`)
    if ('reason' in read) unbuilt.push(read)
    else {
      packages.set(read.name, read)
      if (isTable(entry) && typeof entry.index === 'string')
        indexes.set(entry.index, (indexes.get(entry.index) ?? 0) + 1)
      else withoutIndex.push(read.name)
    }
  }
  const within = (name: string): boolean => packages.has(name)
  const sorted = [...packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    kind: 'packages',
    packages: sorted.map((p) => ({ ...p, dependencies: p.dependencies.filter(within) })),
    unbuilt: unbuilt.sort((a, b) => (a.name < b.name ? -1 : 1)),
    indexes: [...indexes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([url]) => url),
    withoutIndex,
  }
}

/** The package, a sentence that says what is wrong with the lock, or undefined when it isn't meant for this target. */
function readPackage(
  entry: TomlValue,
  target: WheelTarget,
  facts: LockFacts,
  choice: MarkerChoice | undefined,
): ResolvedPackage | UnbuiltPackage | string | undefined {
  if (!isTable(entry) || typeof entry.name !== 'string') return 'the lock holds a package without a name'
  const name = normalizeName(entry.name)
  // Resolvers may write markers that they have evaluated already: what can't be told stays in.
  if (typeof entry.marker === 'string' && evaluateMarker(entry.marker, target, choice) === false) return undefined
  for (const kind of ['vcs', 'directory', 'archive'] as const) {
    const source = entry[kind]
    if (source === undefined) continue
    const folder = kind === 'directory' && isTable(source) && typeof source.path === 'string' ? source.path : undefined
    return { name, folder, reason: `${name} comes from ${SOURCES[kind]}, not as a wheel from an index` }
  }
  const version = entry.version
  if (typeof version !== 'string') return `${name} has no version in the lock`
  const libc = target.libc ?? SOME_LIBC
  const fitting = listOf(entry.wheels)
    .flatMap((value) => readWheel(value, facts))
    .filter((wheel) => fits(wheel, target, libc.atMost))
  if (fitting.length === 0) {
    const python = target.pythonVersion
    const reason = `${name} ${version} has no wheel for ${target.platform} with Python ${python}; it would have to be built from source`
    return { name, folder: undefined, reason }
  }
  const pinned = facts.pinned?.get(name) ?? []
  const allowed = fitting.filter((w) => w.hash !== undefined && (pinned.length === 0 || pinned.includes(w.hash)))
  const wheel = bestWheel(allowed, target, libc.atMost)
  const onOlder = bestWheel(allowed, target, libc.atLeast)
  if (wheel !== undefined && wheel !== onOlder) {
    const reason = `${name} ${version} has other wheels for newer C libraries, and the base image does not tell which one it has`
    return { name, folder: undefined, reason }
  }
  if (wheel === undefined) {
    const reason =
      pinned.length === 0
        ? `${name} ${version} has no sha256 in the index, so that its wheel can't be verified`
        : `${name} ${version} has no wheel for ${target.platform} among the hashes that the requirements pin`
    return { name, folder: undefined, reason }
  }
  // Where the C library is known by its bounds alone, installers get what runs on both.
  const usable = allowed.filter((w) => fits(w, target, libc.atLeast))
  return {
    name,
    version,
    wheel: { fileName: wheel.fileName, size: wheel.size, uploadedAt: wheel.uploadedAt },
    hashes: [...new Set(usable.flatMap((w) => (w.hash === undefined ? [] : [w.hash])))].sort(),
    dependencies: [...new Set(facts.dependencies?.get(name) ?? ownDependencies(entry))].sort(),
  }
}

const SOURCES = { vcs: 'version control', directory: 'a local folder', archive: 'a URL' } as const

function readWheel(value: TomlValue, facts: LockFacts): readonly Wheel[] {
  if (!isTable(value)) return []
  const fileName = typeof value.name === 'string' ? value.name : lastSegment(value.url ?? value.path)
  if (fileName === undefined) return []
  const time = value['upload-time']
  const hash = isTable(value.hashes) ? value.hashes.sha256 : undefined
  return [
    {
      fileName,
      size: typeof value.size === 'number' ? value.size : facts.sizes?.get(fileName),
      uploadedAt: time instanceof Date ? Math.floor(time.getTime() / 1000) : undefined,
      hash: typeof hash === 'string' && /^[0-9a-f]{64}$/i.test(hash) ? `sha256:${hash.toLowerCase()}` : undefined,
    },
  ]
}

function fits(wheel: Wheel, target: WheelTarget, libc: Libc): boolean {
  const name = parseWheelName(wheel.fileName)
  return name !== undefined && wheelRank(name, target, libc) !== undefined
}

/** `dependencies` of PEP 751, where the locker writes them. */
function ownDependencies(entry: TomlTable): readonly string[] {
  return listOf(entry.dependencies).flatMap((d) =>
    isTable(d) && typeof d.name === 'string' ? [normalizeName(d.name)] : [],
  )
}

function lastSegment(location: TomlValue | undefined): string | undefined {
  if (typeof location !== 'string') return undefined
  const segment =
    location
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1) ?? ''
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function failed(reason: string): PylockResult {
  return { kind: 'failed', reason }
}
