import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, processId } from './process-table.ts'
import { systemErrorCode } from './service-error.ts'

/**
 * Runs `work` while no other process (nor another call in this one) holds the same lock file.
 * A lock whose holder died is taken over.
 * @param onWait called once when somebody else holds the lock
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  const own = processId(process.pid)
  const content = `${process.pid} ${own?.startTime ?? ''}`
  let waited = false
  while (!(await tryCreate(file, content))) {
    if (await holderIsGone(file)) {
      await rm(file, { force: true })
      continue
    }
    if (!waited) onWait?.()
    waited = true
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function tryCreate(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw error
  }
}

async function holderIsGone(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const [pid, startTime] = text.split(' ')
  // An empty file is a lock that is just being written, or was let go meanwhile.
  if (pid === undefined || pid === '' || startTime === undefined) return false
  return !isRunning({ pid: Number(pid), startTime })
}
