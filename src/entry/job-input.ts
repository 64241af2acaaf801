import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RunContext } from '../host/host.ts'
import { fillInputs } from '../inputs/filled-inputs.ts'
import type { ReadInput } from '../inputs/input-reader.ts'

/**
 * Inputs of a job's step with what the run says filled in. Without `context` the checked-out repository is built, and
 * where nothing is checked out the repository of this run at its commit.
 */
export function jobInput(
  read: ReadInput,
  env: Readonly<Record<string, string | undefined>>,
  { workspace }: Pick<RunContext, 'workspace'>,
): ReadInput {
  const file = read('file').trim()
  const isCheckedOut = existsSync(join(workspace, '.git')) || existsSync(resolve(workspace, file || 'Dockerfile'))
  const isMissing = !isCheckedOut && read('context').trim() === '' && Boolean(env.GITHUB_REPOSITORY)
  return fillInputs((name) => (name === 'context' && isMissing ? '{{defaultContext}}' : read(name)), env)
}
