import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import type { BuildSecret } from '../inputs/build-inputs.ts'

/** Secrets as buildx takes them; values lie in files that only this user can read. */
export interface PreparedSecrets {
  /** `id=…,src=…` and `id=…,env=…`. */
  readonly options: readonly string[]
  /** All values that are known here, to be kept out of every text. */
  readonly values: readonly string[]
}

/** Writes given values to files below `folder`, which the caller removes. @throws ImageCacheError E_INPUT for a variable that isn't set */
export async function prepareSecrets(
  secrets: readonly BuildSecret[],
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PreparedSecrets> {
  const missing = secrets.flatMap(({ id, from }) =>
    from.kind === 'env' && env[from.name] === undefined
      ? [`secret-envs: "${id}" names ${from.name}, which is not set`]
      : [],
  )
  if (missing.length > 0) {
    throw new ImageCacheError('E_INPUT', missing.join('; '), { hint: 'Pass the variable to the step with `env:`.' })
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const options = secrets.map(async ({ id, from }, index) => {
    if (from.kind === 'env') return `id=${id},env=${from.name}`
    if (from.kind === 'file') return `id=${id},src=${from.path}`
    const path = join(folder, `secret-${index}`)
    await writeFile(path, from.value, { mode: 0o600 })
    return `id=${id},src=${path}`
  })
  return { options: await Promise.all(options), values: secretValues(secrets, env) }
}

/** Values that must never be shown, as far as they are known without reading files. */
export function secretValues(
  secrets: readonly BuildSecret[],
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return secrets.flatMap(({ from }) => {
    if (from.kind === 'value') return [from.value]
    return from.kind === 'env' ? [env[from.name] ?? ''] : []
  })
}
