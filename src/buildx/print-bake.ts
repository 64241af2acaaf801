import { ImageCacheError } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import type { Exec } from '../exec/exec.ts'
import type { BuildxCommand } from './builder.ts'

/** What buildx makes of bake files, as JSON text, without building and without a builder. */
export interface PrintBakeOptions {
  readonly buildx: BuildxCommand
  readonly args: readonly string[]
  /** Folder that the files and their paths are seen from. */
  readonly cwd: string
  readonly signal: AbortSignal
}

/** @throws ImageCacheError E_INPUT with what buildx says of the files */
export async function printBake(exec: Exec, { buildx, args, cwd, signal }: PrintBakeOptions): Promise<string> {
  const print = [...buildx.prefix, 'bake', '--print', '--progress', 'quiet', ...args]
  const answer = await exec.run(buildx.command, print, { cwd, signal })
  if (answer.exitCode === 0) return answer.stdout
  const line = answer.stderr
    .split('\n')
    .findLast((one) => one.trim() !== '')
    ?.replace(/^ERROR: /, '')
  throw new ImageCacheError('E_INPUT', `files: buildx can't read them: ${redact(line ?? 'it gave no reason')}`, {
    hint: '`docker buildx bake --print` says the same on your machine.',
  })
}
