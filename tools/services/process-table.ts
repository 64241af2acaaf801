import { readdirSync, readFileSync } from 'node:fs'

/** A process that can't be mistaken for a later one with the same number. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks from boot to its start, field 22 of /proc/PID/stat. */
  readonly startTime: string
}

interface Stat {
  readonly state: string
  readonly parent: number
  readonly startTime: string
}

/** The identity of a running process, or undefined when there is none with this number. */
export function processId(pid: number): ProcessId | undefined {
  const stat = readStat(pid)
  return stat === undefined || stat.state === 'Z' ? undefined : { pid, startTime: stat.startTime }
}

/** True while this very process runs; false once it is gone or its number belongs to another one. */
export function isRunning(id: ProcessId): boolean {
  return processId(id.pid)?.startTime === id.startTime
}

/** All processes that this one started, directly or not. */
export function descendants(pid: number): readonly ProcessId[] {
  const children = new Map<number, ProcessId[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = readStat(Number(entry))
    if (stat === undefined) continue
    const siblings = children.get(stat.parent) ?? []
    siblings.push({ pid: Number(entry), startTime: stat.startTime })
    children.set(stat.parent, siblings)
  }
  const found: ProcessId[] = []
  const waiting = [pid]
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const child of children.get(parent) ?? []) {
      found.push(child)
      waiting.push(child.pid)
    }
  }
  return found
}

function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the program's name in brackets and may itself hold blanks and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent] = fields
  const startTime = fields[19]
  if (state === undefined || parent === undefined || startTime === undefined) return undefined
  return { state, parent: Number(parent), startTime }
}
