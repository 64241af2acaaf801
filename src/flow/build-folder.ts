import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildxCommand } from '../buildx/builder.ts'
import type { BuildTools } from '../buildx/run-build.ts'
import type { PlaceOf } from '../buildx/user-places.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type PreparedSecrets, prepareSecrets } from './secret-files.ts'
import type { Source } from './source.ts'

/** Where a call of the builder has its files. */
export interface BuildFolder {
  readonly folder: string
  /** The file of that name, for calls that build one. */
  readonly dockerfile: string
  readonly metadataFile: string
  readonly secrets: PreparedSecrets
}

/**
 * Writes what a call of the builder reads: Dockerfiles, the secrets, and the ignore file, which Docker takes when it
 * lies beside the Dockerfile; ours lie elsewhere than the user's.
 * @param name of the folder, below the run's own
 * @param texts of the Dockerfiles, by their names
 */
export async function prepareBuildFolder(
  name: string,
  texts: Readonly<Record<string, string>>,
  { inputs, source }: { readonly inputs: BuildInputs; readonly source: Source },
  { context, env }: Pick<Deps, 'context' | 'env'>,
): Promise<BuildFolder> {
  const folder = join(context.tempDir, name)
  await mkdir(folder, { recursive: true })
  const secrets = await prepareSecrets(inputs.secrets, join(folder, 'secrets'), env)
  for (const [file, text] of Object.entries(texts)) {
    await writeFile(join(folder, file), text)
    await writeFile(join(folder, `${file}.dockerignore`), source.ignorePatterns)
  }
  return { folder, dockerfile: join(folder, 'Dockerfile'), metadataFile: join(folder, 'metadata.json'), secrets }
}

/** What a call of the builder is run with. */
export function buildTools(
  buildx: BuildxCommand,
  { secrets }: BuildFolder,
  placeOf: PlaceOf,
  { exec, signal, display }: Pick<Deps, 'exec' | 'signal' | 'display'>,
): BuildTools {
  const onProgress: BuildTools['onProgress'] = (timeline) => display.update(timeline)
  return { exec, buildx, signal, secrets: secrets.values, env: {}, onProgress, placeOf }
}
