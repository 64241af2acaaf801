import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isJsonList, isJsonRecord, type JsonRecord, parseJson } from '../base/json-value.ts'
import type { LateExport } from '../deps.ts'
import type { DetachedExec } from '../exec/exec.ts'
import { exportError } from '../flow/export-error.ts'
import { tidyExports } from '../flow/publish.ts'
import type { Registry } from '../registry/registry.ts'

/** An export that runs on, as the post step gets to know of it. */
export interface RunningExport extends Pick<LateExport, 'limit' | 'exports'> {
  /** Leads a process group. */
  readonly pid: number
  readonly folder: string
}

/** Name of the state that carries exports from the main step to the post step. */
export const EXPORTS_STATE = 'late-exports'
const POLL = 200

/** Starts exports that go on after the main step, and knows them until then. */
export class LateExports {
  readonly #exec: DetachedExec
  readonly #folder: string
  readonly #running: RunningExport[] = []

  /** @param folder what the names of the folders of their output begin with; the post step removes them */
  constructor(exec: DetachedExec, folder: string) {
    this.#exec = exec
    this.#folder = folder
  }

  async start({ command, args, limit, exports }: LateExport): Promise<void> {
    const folder = `${this.#folder}-${this.#running.length}`
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const pid = await this.#exec.startDetached(command, args(folder), { folder })
    this.#running.push({ pid, folder, limit, exports })
  }

  get running(): readonly RunningExport[] {
    return this.#running
  }

  /** Ends them: there is no image that they would be of use to. */
  async cancel(): Promise<void> {
    for (const { pid } of this.#running) end(pid)
    await Promise.all(this.#running.map(({ folder }) => rm(folder, { recursive: true, force: true })))
  }
}

/** Reads what the main step left; anything else counts as nothing. */
export function decodeExports(text: string): readonly RunningExport[] {
  const value = parseJson(Buffer.from(text))
  return isJsonList(value) ? value.flatMap((entry) => (isJsonRecord(entry) ? (runningExport(entry) ?? []) : [])) : []
}

/**
 * Waits for an export up to its limit, ends it then, and tidies what it wrote.
 * @returns how it ended, as a sentence, and whether that is a trouble
 */
export async function finishExport(
  late: RunningExport,
  registry: Registry,
): Promise<{ readonly sentence: string; readonly isTrouble: boolean }> {
  const { folder, limit, exports, pid } = late
  try {
    const until = performance.now() + limit
    while (exitCodeIn(folder) === undefined && isAlive(pid) && performance.now() < until) await pause(POLL)
    const exitCode = exitCodeIn(folder)
    if (exitCode === undefined) {
      const sentence = isAlive(pid) ? `was not done ${limit / 1000} s after all other steps` : 'was ended by something'
      end(pid)
      return { sentence: `the cache export ${sentence}; the image is not affected`, isTrouble: true }
    }
    const reason = exportError(await readFile(join(folder, 'stderr'), 'utf8'), exitCode)
    if (reason !== undefined)
      return { sentence: `cache export failed, the image is not affected: ${reason}`, isTrouble: true }
    const rows = await tidyExports(exports, registry)
    return { sentence: rows.map(({ what, detail }) => `${what}: ${detail}`).join('; '), isTrouble: false }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The exit code of an export that has ended. */
function exitCodeIn(folder: string): string | undefined {
  const path = join(folder, 'exit-code')
  // The file is there for a moment before its line is.
  return (existsSync(path) && readFileSync(path, 'utf8').trim()) || undefined
}

function runningExport({ pid, folder, limit, exports }: JsonRecord): RunningExport | undefined {
  if (typeof pid !== 'number' || typeof folder !== 'string' || typeof limit !== 'number') return undefined
  const written = (isJsonList(exports) ? exports : []).flatMap((entry) =>
    isJsonRecord(entry) && typeof entry.type === 'string' && typeof entry.ref === 'string'
      ? [{ type: entry.type, ref: entry.ref }]
      : [],
  )
  return { pid, folder, limit, exports: written }
}

function isAlive(pid: number): boolean {
  return signal(pid, 0)
}

function end(pid: number): void {
  signal(pid, 'SIGTERM')
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, name)
  } catch {
    return false
  }
}
