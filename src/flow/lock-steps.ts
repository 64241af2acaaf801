import { posix } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { lockOfFile } from './lock-of-file.ts'
import { lockOfProject } from './lock-of-project.ts'
import { lockOfRequirements } from './lock-of-requirements.ts'
import { lockOfTool } from './lock-of-tool.ts'
import type { StepsToLock } from './lock-question.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'

/** Finds the exact packages of install steps that belong together: a lock as it is, or one resolution for all. */
export async function lockSteps(asked: StepsToLock): Promise<StageLockOutcome> {
  const installerImage = await asked.tools
    .installerFor(asked.python.version)
    .catch((error: unknown) => ({ reason: messageOf(error) }))
  if (typeof installerImage !== 'string') return lockRefusal(installerImage.reason)
  const question = { ...asked, installerImage }
  const { steps } = question
  const projects = steps.flatMap(({ project }) => project ?? [])
  const [project] = projects
  if (project?.tool === 'uv') return await lockOfProject(project, question)
  if (project !== undefined) return await lockOfTool(project, question)
  const file = steps.flatMap(({ requirementFiles }) => requirementFiles).find(isPylock)
  return file === undefined ? await lockOfRequirements(question) : await lockOfFile(file.contextPath, question)
}

/** PEP 751, "File name": pylock.toml or pylock.<name>.toml. */
function isPylock({ contextPath }: { readonly contextPath: string }): boolean {
  return /^pylock(?:\.[^.]+)?\.toml$/.test(posix.basename(contextPath))
}
