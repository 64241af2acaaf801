import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import { statFolder } from '../content/stat-folder.ts'
import type { Deps } from '../deps.ts'
import type { BuildOptions, Dockerfile } from '../dockerfile/dockerfile.ts'
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts'
import { type ContextHash, type ContextTools, hashContext, readIgnoreFile } from '../image/context-hash.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type Platform, parsePlatform } from '../registry/platform.ts'
import { type SpecDockerfile, specDockerfile } from './spec-dockerfile.ts'

/** What the user gives: a parsed Dockerfile and the build context as BuildKit will see it. */
export interface Source {
  /** Absolute path. */
  readonly context: string
  readonly dockerfilePath: string
  readonly dockerfile: Dockerfile
  readonly ignorePatterns: string
  readonly files: ContextHash
}

/** What makes hashing of contexts fast here. Hashes are kept where the local store is, so on machines that stay. */
export function contextTools({
  exec,
  store,
  clock,
  signal,
  env,
}: Pick<Deps, 'exec' | 'store' | 'clock' | 'signal' | 'env'>): ContextTools {
  return { exec, clock, signal, statFolder: store.name === 'local' ? statFolder(env) : undefined }
}

/**
 * Reads the Dockerfile and hashes the context.
 * @param tools without them every file of the context is read
 * @param made ignore lines of files that tasks make: their key stands for them
 * @throws ImageCacheError E_DOCKERFILE when there is no Dockerfile or it can't be parsed, E_INPUT for a missing context
 */
export async function readSource(
  inputs: BuildInputs,
  workspace: string,
  tools: ContextTools = {},
  made: readonly string[] = [],
): Promise<Source> {
  const context = resolve(workspace, inputs.context)
  const { path: dockerfilePath, text, ignore } = await readDockerfile(inputs, workspace, context)
  const dockerfile = parseDockerfile(text, inputs.file ?? 'Dockerfile')
  const ignorePatterns = [await readIgnoreFile(context, dockerfilePath), ...ignore].join('\n')
  const files = await hashContext(context, [ignorePatterns, ...made].join('\n'), tools).catch((cause: unknown) => {
    if (tools.signal?.aborted === true) throw new ImageCacheError('E_CANCELLED', 'the run was cancelled', { cause })
    throw new ImageCacheError('E_INPUT', `context: ${JSON.stringify(inputs.context)} can't be read`, {
      hint: 'It must be a folder that this job may read, with all its files.',
      cause,
    })
  })
  return { context, dockerfilePath, dockerfile, ignorePatterns, files }
}

/** The user's own Dockerfile, or the one that a spec stands for. */
async function readDockerfile(
  { file, spec, context: folder }: BuildInputs,
  workspace: string,
  context: string,
): Promise<SpecDockerfile> {
  if (spec !== undefined) return await specDockerfile(spec, workspace, context)
  const path = file === undefined ? join(context, 'Dockerfile') : resolve(workspace, file)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ImageCacheError('E_DOCKERFILE', `there is no Dockerfile at ${file ?? join(folder, 'Dockerfile')}`, {
      hint: 'Give its path in `file`, or the folder that holds it in `context`.',
      cause,
    })
  })
  return { path, text, ignore: [] }
}

/** What the caller decides, as the Dockerfile's rooms want it. */
export function buildOptions(inputs: BuildInputs): BuildOptions {
  const [platform] = inputs.platforms
  return {
    target: inputs.target,
    buildArgs: Object.fromEntries(inputs.buildArgs),
    platform: platform ?? nativePlatform(),
    reorder: inputs.reorder === 'safe',
    linkCopies: inputs.linkCopies,
  }
}

/** The same for each platform of the build: images' names may depend on it. */
export function platformOptions(inputs: BuildInputs): readonly BuildOptions[] {
  const options = buildOptions(inputs)
  return inputs.platforms.length === 0 ? [options] : inputs.platforms.map((platform) => ({ ...options, platform }))
}

/** The platform of an image that is for one, and the first one's of several. */
export function targetPlatform(inputs: BuildInputs): Platform {
  return readPlatform(buildOptions(inputs).platform ?? '')
}

/** All that the image is for, one at least. */
export function targetPlatforms(inputs: BuildInputs): readonly Platform[] {
  return platformOptions(inputs).map(({ platform = '' }) => readPlatform(platform))
}

function readPlatform(text: string): Platform {
  const platform = parsePlatform(text)
  if (typeof platform === 'string') throw new RangeError(platform)
  return platform
}

/** The Dockerfile's path as messages name it. A git context lies outside the workspace: there it is the path in it. */
export function shownDockerfile({ context, dockerfilePath }: Source, workspace: string): string {
  const inside = relative(workspace, dockerfilePath)
  return inside.startsWith('..') ? relative(context, dockerfilePath) : inside
}

/** The platform of this machine, which is the builder's unless the user says otherwise. */
export function nativePlatform(): string {
  return process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64'
}
