import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPylock } from '../python/pylock.ts'
import type { RequirementLine } from '../python/requirement-line.ts'
import { askForWheels } from './ask-for-wheels.ts'
import { type LockQuestion, lockSubject } from './lock-question.ts'
import { lockSource } from './lock-source.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'

/**
 * The packages of a lock that a requirements option names (PEP 751).
 * @param path below the context
 */
export async function lockOfFile(path: string, question: LockQuestion): Promise<StageLockOutcome> {
  const { steps, python, source, installerImage } = question
  const [first, ...more] = steps
  const isAlone =
    first?.requirementFiles.length === 1 && first.packages.length === 0 && first.constraintFiles.length === 0
  if (first === undefined || more.length > 0 || !isAlone)
    return lockRefusal(`${path} is installed together with other packages`, 'unknown-option')
  const text = await readFile(join(source.context, path), 'utf8').catch(() => '')
  const { platform, libc } = lockSubject(question)
  const pythonVersion = python.fullVersion ?? python.version
  const read = readPylock(text, { pythonVersion, platform, libc }, { isInstalled: true })
  if (read.kind === 'failed') return lockRefusal(read.reason)
  const [indexUrl, ...extraIndexUrls] = read.indexes
  const settings = { ...first.settings, indexUrl: indexUrl ?? first.settings.indexUrl, extraIndexUrls }
  const files = [join(source.context, path)]
  const locked = { kind: 'locked', unbuilt: read.unbuilt, settings, installerImage, files } as const
  const note = `${read.packages.length} packages of ${path}`
  if (read.withoutIndex.length === 0) return { ...locked, packages: read.packages, note }
  // Files that the lock names by their URLs alone may lie elsewhere than on an index.
  const pins = read.packages.map(({ name, version, hashes }): RequirementLine => {
    return { file: path, line: 0, name, text: `${name}==${version}`, hashes }
  })
  const answer = await askForWheels(pins, settings, question)
  if (answer.kind === 'failed') return lockRefusal(answer.reason)
  const unbuilt = [...read.unbuilt, ...answer.unbuilt]
  const { shared, resolution } = answer
  return { ...locked, shared, unbuilt, packages: resolution.packages, note: `${note}, wheels ${lockSource(answer)}` }
}
