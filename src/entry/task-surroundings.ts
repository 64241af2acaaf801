import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../base/errors.ts'
import type { RunContext } from '../host/host.ts'
import { refreshRequest } from '../inputs/refresh-request.ts'
import { DEFAULTS_FILE, parseTaskDefaults } from '../inputs/task-defaults.ts'
import type { TaskSurroundings } from '../inputs/task-inputs.ts'

/**
 * What tasks take from the run that they are part of: the workflow's defaults, who shares their results, and whether
 * somebody wants them made anew.
 * @throws ImageCacheError E_INPUT when the defaults are wrong
 */
export async function taskSurroundings(
  context: RunContext,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Required<TaskSurroundings>> {
  const [file, event] = await Promise.all([
    textIfThere(join(context.workspace, DEFAULTS_FILE)),
    env.GITHUB_EVENT_PATH ? textIfThere(env.GITHUB_EVENT_PATH) : '',
  ])
  return {
    defaults: await parseTaskDefaults(file, env),
    nativePlatform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
    scope: context.repository ?? '',
    refresh: refreshRequest(env, event),
  }
}

async function textIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}
