import { parseJson } from '../base/json-value.ts'
/** Whose results are to be made anew in this run, and who asked for it. */
export interface RefreshRequest {
  readonly tasks: 'none' | 'all' | ReadonlySet<string>
  /** A sentence's end: `the workflow was dispatched with refresh-cache`. */
  readonly why: string
}

export const NO_REFRESH: RefreshRequest = { tasks: 'none', why: '' }

const VARIABLE = 'IMAGE_CACHE_REFRESH'
const DISPATCH_INPUTS = ['refresh-cache', 'refresh_cache']
const MARK = '[refresh-cache]'

/**
 * Reads whether somebody wants results made anew: the variable `IMAGE_CACHE_REFRESH`, the input `refresh-cache` of a
 * dispatched workflow, or `[refresh-cache]` in the message of the pushed commit. Values: `true`, or names of tasks
 * between commas or spaces.
 * @param event text of the event's payload (`GITHUB_EVENT_PATH`), empty when there is none
 */
export function refreshRequest(env: Readonly<Record<string, string | undefined>>, event: string): RefreshRequest {
  const byVariable = request(env[VARIABLE], `${VARIABLE} is set`)
  if (byVariable.tasks !== 'none') return byVariable
  const payload = parseJson(event)
  for (const name of DISPATCH_INPUTS) {
    const byInput = request(field(field(payload, 'inputs'), name), `the workflow was dispatched with ${name}`)
    if (byInput.tasks !== 'none') return byInput
  }
  const message = field(field(payload, 'head_commit'), 'message')
  if (typeof message !== 'string' || !message.includes(MARK)) return NO_REFRESH
  return { tasks: 'all', why: `the commit's message has ${MARK}` }
}

/** Whether a task is to be run and its stored result replaced. */
export function isRefreshed({ tasks }: RefreshRequest, name: string): boolean {
  return tasks === 'all' || (tasks !== 'none' && tasks.has(name))
}

function request(value: unknown, why: string): RefreshRequest {
  const text = typeof value === 'boolean' ? String(value) : typeof value === 'string' ? value.trim() : ''
  if (/^(|false|0|no|off)$/i.test(text)) return NO_REFRESH
  if (/^(true|1|yes|on|all)$/i.test(text)) return { tasks: 'all', why }
  return { tasks: new Set(text.split(/[\s,]+/)), why }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
