import { readFile, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { logFile, runningDaemon, startDaemon, stopDaemon } from './daemon.ts'

const name = 'cache-service'
const program = resolve(import.meta.dirname, '../../__tests__/support/cache-service-main.ts')

/** Variables by which an action's process finds GitHub's cache service. */
export type CacheServiceEnv = Readonly<Record<string, string>>

/** Starts the emulator of GitHub's cache service unless it runs; what it holds lasts as long as it runs. */
export async function startCacheServiceDaemon(stateDir: string): Promise<void> {
  if ((await runningDaemon(stateDir, name)) !== undefined) return
  // The first line of its output says where it is; one of an earlier start would mislead.
  await rm(logFile(stateDir, name), { force: true })
  const isReady = async (): Promise<boolean> => (await announcedEnv(stateDir)) !== undefined
  await startDaemon({ name, stateDir, command: process.execPath, args: [program], isReady })
}

/** The variables for the emulator that runs from this state folder; undefined when none runs. */
export async function cacheServiceEnv(stateDir: string): Promise<CacheServiceEnv | undefined> {
  return (await runningDaemon(stateDir, name)) === undefined ? undefined : announcedEnv(stateDir)
}

/** Stops the emulator; answers false when it wasn't running. */
export async function stopCacheServiceDaemon(stateDir: string): Promise<boolean> {
  return await stopDaemon(stateDir, name)
}

async function announcedEnv(stateDir: string): Promise<CacheServiceEnv | undefined> {
  const lines = (await readFile(logFile(stateDir, name), 'utf8').catch(() => '')).split('\n')
  const line = lines.find((text) => text.startsWith('{') && text.endsWith('}'))
  const announced: unknown = line === undefined ? undefined : JSON.parse(line)
  if (typeof announced !== 'object' || announced === null || !('env' in announced)) return undefined
  const { env } = announced
  if (typeof env !== 'object' || env === null) return undefined
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
