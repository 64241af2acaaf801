import { ImageCacheError } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'

/** How buildx is called here: as a plugin of docker, or by its own binary. */
export interface BuildxCommand {
  readonly command: string
  readonly prefix: readonly string[]
}

/** What is known of a builder before anything is built. */
export interface Builder {
  readonly name: string
  /** `docker-container`, `remote`, `kubernetes`, `docker`. */
  readonly driver: string
  /** Version of its BuildKit, such as `0.33.1`; undefined when it doesn't tell. */
  readonly buildkit: string | undefined
  /** `linux/amd64`, the native platform first. */
  readonly platforms: readonly string[]
}

const CALLS: readonly BuildxCommand[] = [
  { command: 'docker', prefix: ['buildx'] },
  { command: 'buildx', prefix: [] },
]

/** A builder and how to call buildx for it. */
export interface FoundBuilder {
  readonly buildx: BuildxCommand
  readonly builder: Builder
}

/**
 * Asks buildx about a builder, starting it where it isn't running. One call in the usual case: whether buildx is a
 * plugin of docker or a program of its own shows in the answer.
 * @throws ImageCacheError E_BUILDER when there is no buildx, no such builder, or it doesn't answer
 */
export async function findBuilder(exec: Exec, name: string | undefined): Promise<FoundBuilder> {
  for (const buildx of CALLS) {
    const args = [...buildx.prefix, 'inspect', '--bootstrap', ...(name === undefined ? [] : [name])]
    const answer = await exec.run(buildx.command, args).catch(() => undefined)
    if (answer === undefined || (answer.exitCode !== 0 && NO_PLUGIN.test(answer.stderr))) continue
    if (answer.exitCode === 0) return { buildx, builder: parseInspect(answer.stdout, name) }
    throw noAnswer(name, lastLine(answer.stderr))
  }
  throw new ImageCacheError('E_BUILDER', 'buildx is not installed: neither `docker buildx` nor `buildx` answers', {
    hint: 'Install docker with its buildx plugin, for example with docker/setup-buildx-action.',
  })
}

/** What docker says, by version, when it has no plugin of that name. */
const NO_PLUGIN = /is not a docker command|unknown command: docker buildx|unknown flag: --bootstrap/

function noAnswer(name: string | undefined, said: string): ImageCacheError {
  return new ImageCacheError('E_BUILDER', `builder ${name ?? '(default)'} does not answer: ${said}`, {
    hint: 'Make one with docker/setup-buildx-action or `docker buildx create`, or name another one in `builder`.',
  })
}

/** Reads the text that `buildx inspect` prints: `Field: value` lines, one block for the builder and one for each node. */
export function parseInspect(text: string, name: string | undefined): Builder {
  const field = (label: RegExp): string | undefined => label.exec(text)?.[1]?.trim()
  const error = field(/^Error:\s*(.+)$/m)
  if (error !== undefined) throw noAnswer(name, error)
  const platforms = field(/^Platforms:\s*(.+)$/m)?.split(',') ?? []
  return {
    name: field(/^Name:\s*(.+)$/m) ?? name ?? 'default',
    driver: field(/^Driver:\s*(.+)$/m) ?? 'unknown',
    buildkit: field(/^BuildKit version:\s*v?(\S+)$/m) ?? undefined,
    platforms: platforms.map((platform) => platform.trim().replace(/\*$/, '')).filter((platform) => platform !== ''),
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
