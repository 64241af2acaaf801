import { isJsonRecord } from '../base/json-value.ts'
import { normalizeName } from './package-name.ts'
import type { UnbuiltPackage } from './pylock.ts'
import type { ResolvedPackage } from './resolution.ts'
import type { SharedFile, SharedFiles } from './shared-files.ts'

/** Version of the stored form; part of the key, so that another form is another entry. */
export const RESOLUTION_FORMAT = 3

/** What a lock says for one platform. */
export interface LockedPackages {
  readonly packages: readonly ResolvedPackage[]
  /** Packages that no wheel gives. */
  readonly unbuilt: readonly UnbuiltPackage[]
  /** Indexes that the lock names, without users and passwords, the most used first. */
  readonly indexes: readonly string[]
  /** Files that two of the wheels share. */
  readonly shared: SharedFiles
}

/** A lock as stored. Index settings stay out: they may hold a user and a password. */
export function encodeLock({ packages, unbuilt, indexes, shared }: LockedPackages): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ format: RESOLUTION_FORMAT, packages, unbuilt, indexes, shared }))
}

/** @returns undefined for anything that isn't what `encodeLock` writes: a broken entry is a miss. */
export function decodeLock(body: Uint8Array): LockedPackages | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
  if (!isJsonRecord(value) || value.format !== RESOLUTION_FORMAT || !Array.isArray(value.packages)) return undefined
  if (!Array.isArray(value.unbuilt) || !isTexts(value.indexes)) return undefined
  const unbuilt = value.unbuilt.map(readUnbuilt)
  const shared = readShared(value.shared)
  if (!unbuilt.every((entry) => entry !== undefined) || shared === undefined) return undefined
  const packages: ResolvedPackage[] = []
  for (const entry of value.packages) {
    const read = readPackage(entry)
    const previous = packages.at(-1)?.name
    if (read === undefined || (previous !== undefined && previous >= read.name)) return undefined
    packages.push(read)
  }
  return { packages, unbuilt, indexes: value.indexes, shared }
}

function readShared(value: unknown): SharedFiles | undefined {
  if (!isJsonRecord(value) || typeof value.isComplete !== 'boolean' || !Array.isArray(value.files)) return undefined
  const files = value.files.flatMap((file: unknown): readonly SharedFile[] => {
    if (!isJsonRecord(file) || typeof file.path !== 'string' || !isTexts(file.packages)) return []
    const [one, other, ...more] = file.packages
    return one === undefined || other === undefined || more.length > 0
      ? []
      : [{ packages: [one, other], path: file.path }]
  })
  return files.length === value.files.length ? { files, isComplete: value.isComplete } : undefined
}

function readUnbuilt(value: unknown): UnbuiltPackage | undefined {
  if (!isJsonRecord(value) || typeof value.name !== 'string' || typeof value.reason !== 'string') return undefined
  const { name, reason, folder } = value
  return folder === undefined || typeof folder === 'string' ? { name, reason, folder } : undefined
}

function readPackage(value: unknown): ResolvedPackage | undefined {
  if (!isJsonRecord(value) || !isJsonRecord(value.wheel)) return undefined
  const { name, version, hashes, dependencies } = value
  const { fileName, size, uploadedAt } = value.wheel
  if (typeof name !== 'string' || name !== normalizeName(name) || typeof version !== 'string') return undefined
  if (typeof fileName !== 'string' || !isCount(size) || !isCount(uploadedAt)) return undefined
  if (!isTexts(hashes) || hashes.length === 0 || !hashes.every((hash) => /^sha256:[0-9a-f]{64}$/.test(hash)))
    return undefined
  if (!isTexts(dependencies)) return undefined
  return { name, version, wheel: { fileName, size, uploadedAt }, hashes, dependencies }
}

function isCount(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
