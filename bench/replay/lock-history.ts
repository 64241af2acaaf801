import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

/** The locks of one repository, oldest first. */
export interface LockHistory {
  readonly name: string
  readonly locks: readonly (readonly ResolvedPackage[])[]
}

/**
 * Reads every `*.json.gz` of a folder, sorted by name. The format is that of the fixtures' README: a list of
 * `{h, t, p: {name: [version, hash, bytes, kind, file name, dependencies, upload time]}}`.
 * @throws Error when a file holds something else.
 */
export function readLockHistories(folder: string): readonly LockHistory[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json.gz'))
  return files.sort().map((file) => ({ name: file.slice(0, -'.json.gz'.length), locks: readLocks(join(folder, file)) }))
}

function readLocks(path: string): readonly (readonly ResolvedPackage[])[] {
  const value: unknown = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'))
  if (!Array.isArray(value)) throw new Error(`${path}: not a list of locks`)
  return value.map((lock: unknown) => {
    if (!isRecord(lock) || !isRecord(lock.p)) throw new Error(`${path}: a lock without packages`)
    return Object.entries(lock.p).map(([name, facts]) => readPackage(path, name, facts))
  })
}

function readPackage(path: string, name: string, facts: unknown): ResolvedPackage {
  if (!Array.isArray(facts)) throw new Error(`${path}: ${name} is not a list`)
  const [version, hash, size, , fileName, dependencies, uploadedAt]: unknown[] = facts
  if (typeof version !== 'string') throw new Error(`${path}: ${name} has no version`)
  return {
    name,
    version,
    wheel: { fileName: textOf(fileName), size: numberOf(size), uploadedAt: numberOf(uploadedAt) },
    hashes: [textOf(hash)],
    dependencies: Array.isArray(dependencies) ? dependencies.filter((d) => typeof d === 'string') : [],
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
