import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { LockedProject } from '../dockerfile/dockerfile.ts'
import { exportLock } from '../python/export-lock.ts'
import { type LockQuestion, lockSubject } from './lock-question.ts'
import { lockSource } from './lock-source.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'
import type { Source } from './source.ts'

/** The packages of a uv.lock, told by uv itself. */
export async function lockOfProject(
  project: Extract<LockedProject, { tool: 'uv' }>,
  question: LockQuestion,
): Promise<StageLockOutcome> {
  const { source, tools, installerImage } = question
  const { selection, lock } = project
  const files = await projectTexts(project, source)
  const answer = await exportLock({ ...lockSubject(question), files, selection, lock }, tools.runInstaller, tools.store)
  if (answer.kind === 'failed') return lockRefusal(answer.reason)
  const { packages, unbuilt, indexes } = answer.lock
  const [indexUrl, ...extraIndexUrls] = indexes
  return {
    kind: 'locked',
    packages,
    unbuilt,
    settings: { indexUrl, extraIndexUrls, findLinks: [], preReleases: false },
    installerImage,
    files: [join(source.context, project.lockFile.contextPath)],
    note: `${packages.length} packages of uv.lock, ${lockSource(answer)}`,
  }
}

/** The lock and every pyproject.toml, those of workspace members too, by their path below the project. */
async function projectTexts(
  { projectFile, lockFile }: LockedProject,
  { files, context }: Source,
): Promise<Readonly<Record<string, string>>> {
  const folder = posix.dirname(projectFile.contextPath)
  const texts: Record<string, string> = {}
  for (const path of files.files) {
    const below = folder === '.' ? path : posix.relative(folder, path)
    const isLock = path === lockFile.contextPath
    if (!(isLock || posix.basename(path) === 'pyproject.toml') || below.startsWith('..')) continue
    const text = await readFile(join(context, path), 'utf8').catch(() => undefined)
    if (text !== undefined) texts[isLock ? 'uv.lock' : below] = text
  }
  return texts
}
