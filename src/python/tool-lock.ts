import type { LockPins, LockSelection, LockTexts } from './lock-pins.ts'
import { readPdmLock } from './pdm-lock.ts'
import { readPipfileLock } from './pipfile-lock.ts'
import { readPoetryLock } from './poetry-lock.ts'
import type { WheelTarget } from './wheel-tags.ts'

/** Tools whose lock files are read here; uv reads its own. */
export type LockTool = 'poetry' | 'pdm' | 'pipenv'

const READERS: Readonly<
  Record<LockTool, (texts: LockTexts, selection: LockSelection, target: WheelTarget) => LockPins>
> = { poetry: readPoetryLock, pdm: readPdmLock, pipenv: readPipfileLock }

/** Reads the lock of a tool: a new format is one more function in this table. */
export function readToolLock(
  tool: LockTool,
  texts: LockTexts,
  selection: LockSelection,
  target: WheelTarget,
): LockPins {
  return READERS[tool](texts, selection, target)
}
