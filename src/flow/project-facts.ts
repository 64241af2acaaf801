import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InstallStep } from '../dockerfile/dockerfile.ts'
import { readProject } from '../python/project-file.ts'
import type { Source } from './source.ts'

/** Name and Python of the project that a step installs, for the environment that is made for it. */
export async function projectFacts(
  { project }: InstallStep,
  source: Source,
): Promise<{ readonly name: string | undefined; readonly requiresPython: string | undefined }> {
  const path = project?.projectFile.contextPath
  const text =
    path === undefined ? undefined : await readFile(join(source.context, path), 'utf8').catch(() => undefined)
  return text === undefined ? { name: undefined, requiresPython: undefined } : readProject(text)
}
