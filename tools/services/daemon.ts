import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendants, isRunning, type ProcessId, processId } from './process-table.ts'
import { ServiceError } from './service-error.ts'

/** A program that keeps running in the background after its starter ended. */
export interface DaemonOptions {
  readonly name: string
  readonly stateDir: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Asked until it answers true. */
  readonly isReady: () => Promise<boolean>
}

const readyWithinMs = 30_000

/**
 * Starts a program in the background, its output in `logs/<name>.log` of the state folder, and waits until it answers.
 * @throws ServiceError with the log's last lines when it ends at once or doesn't answer within 30 s
 */
export async function startDaemon(options: DaemonOptions): Promise<ProcessId> {
  const log = logFile(options.stateDir, options.name)
  await mkdir(dirname(log), { recursive: true })
  const output = openSync(log, 'a')
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...options.env },
  })
  closeSync(output)
  const failed = new Promise<Error>((resolve) => child.once('error', resolve))
  const id = child.pid === undefined ? undefined : processId(child.pid)
  if (id === undefined) {
    const error = await Promise.race([failed, sleep(1000)])
    throw new ServiceError(
      `${options.name} could not be started (${error?.message ?? 'it ended at once'}); see ${log}.`,
    )
  }
  child.unref()
  await writeRecord(options.stateDir, options.name, id)
  const deadline = performance.now() + readyWithinMs
  while (!(await options.isReady())) {
    const alive = isRunning(id)
    if (alive && performance.now() < deadline) {
      await sleep(20)
      continue
    }
    await stopDaemon(options.stateDir, options.name)
    const what = alive ? `didn't answer within ${readyWithinMs / 1000} s` : 'ended right after its start'
    throw new ServiceError(`${options.name} ${what}; the last lines of ${log}:\n${await lastLines(log)}`)
  }
  return id
}

/** The running process of a service that was started from this state folder, or undefined. */
export async function runningDaemon(stateDir: string, name: string): Promise<ProcessId | undefined> {
  const id = await readRecord(stateDir, name)
  return id !== undefined && isRunning(id) ? id : undefined
}

/**
 * Ends a service that was started from this state folder, and what it started; nothing else. A no-op when it isn't running.
 * @param graceMs how long it may take to end by itself before it is killed
 */
export async function stopDaemon(stateDir: string, name: string, graceMs = 5000): Promise<boolean> {
  const id = await runningDaemon(stateDir, name)
  if (id !== undefined) {
    const family = [id, ...descendants(id.pid)]
    signal(id, 'SIGTERM')
    await waitUntilGone([id], graceMs)
    const left = family.filter(isRunning)
    for (const process of left) signal(process, 'SIGKILL')
    await waitUntilGone(left, 5000)
  }
  await rm(recordFile(stateDir, name), { force: true })
  return id !== undefined
}

/** The file that holds a service's output. */
export function logFile(stateDir: string, name: string): string {
  return join(stateDir, 'logs', `${name}.log`)
}

function recordFile(stateDir: string, name: string): string {
  return join(stateDir, `${name}.pid.json`)
}

async function writeRecord(stateDir: string, name: string, id: ProcessId): Promise<void> {
  const file = recordFile(stateDir, name)
  await writeFile(`${file}.tmp`, JSON.stringify(id))
  await rename(`${file}.tmp`, file)
}

async function readRecord(stateDir: string, name: string): Promise<ProcessId | undefined> {
  const text = await readFile(recordFile(stateDir, name), 'utf8').catch(() => '{}')
  const record: unknown = JSON.parse(text)
  if (typeof record !== 'object' || record === null || !('pid' in record) || !('startTime' in record)) return undefined
  const { pid, startTime } = record
  return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined
}

function signal(id: ProcessId, name: NodeJS.Signals): void {
  if (!isRunning(id)) return
  try {
    process.kill(id.pid, name)
  } catch {
    // It ended in between.
  }
}

async function waitUntilGone(ids: readonly ProcessId[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (ids.some(isRunning) && performance.now() < deadline) await sleep(10)
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-15).join('\n')
}
