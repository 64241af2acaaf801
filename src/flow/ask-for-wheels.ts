import type { RequirementLine } from '../python/requirement-line.ts'
import type { IndexSettings } from '../python/resolution.ts'
import { type ResolveResult, resolve } from '../python/resolve.ts'
import { type LockQuestion, lockSubject } from './lock-question.ts'

/** Asks the index for the wheels of exact versions, by their hashes: nothing is resolved, and the answer is remembered. */
export function askForWheels(
  pins: readonly RequirementLine[],
  settings: IndexSettings,
  question: LockQuestion,
): Promise<ResolveResult> {
  const { runInstaller, store } = question.tools
  const pinned = { requirements: pins, constraints: [], onlyBinary: [], installer: 'pip', noDeps: true } as const
  return resolve({ ...lockSubject(question), ...pinned, settings }, runInstaller, store)
}
