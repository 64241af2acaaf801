import { ImageCacheError } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'

/** How buildx is called here: as a plugin of docker, or by its own binary. */
export interface BuildxCommand {
  readonly command: string
  readonly prefix: readonly string[]
}

/** One BuildKit daemon of a builder. */
export interface BuilderNode {
  readonly name: string
  readonly endpoint: string
  /** Version of BuildKit; undefined when it doesn't tell. */
  readonly buildkit: string | undefined
  readonly platforms: readonly string[]
  /** Why it does not answer. */
  readonly error: string | undefined
}

/** What is known of a builder before anything is built. */
export interface Builder {
  readonly name: string
  /** `docker-container`, `remote`, `kubernetes`, `docker`. */
  readonly driver: string
  /** Version of its BuildKit, such as `0.33.1`, the oldest of its nodes; undefined when it doesn't tell. */
  readonly buildkit: string | undefined
  /** `linux/amd64`, the native platform first. */
  readonly platforms: readonly string[]
  readonly nodes: readonly BuilderNode[]
  /** Whether it can export caches; undefined when it doesn't tell. */
  readonly cacheExport: boolean | undefined
}

const CALLS: readonly BuildxCommand[] = [
  { command: 'docker', prefix: ['buildx'] },
  { command: 'buildx', prefix: [] },
]

/** A builder and how to call buildx for it. */
export interface FoundBuilder {
  readonly buildx: BuildxCommand
  readonly builder: Builder
  /** The next one to build on when this one is lost; undefined when there is none left. */
  readonly next?: (() => Promise<FoundBuilder | undefined>) | undefined
}

/**
 * Asks buildx about a builder, starting it where it isn't running. One call in the usual case: whether buildx is a
 * plugin of docker or a program of its own shows in the answer.
 * @param calls ways to call buildx, in the order in which they are tried
 * @throws ImageCacheError E_BUILDER when there is no buildx, no such builder, or it doesn't answer
 */
export async function findBuilder(
  exec: Exec,
  name: string | undefined,
  calls: readonly BuildxCommand[] = CALLS,
): Promise<FoundBuilder> {
  for (const buildx of calls) {
    const args = [...buildx.prefix, 'inspect', '--bootstrap', ...(name === undefined ? [] : [name])]
    const answer = await exec.run(buildx.command, args).catch(() => undefined)
    if (answer === undefined || (answer.exitCode !== 0 && NO_PLUGIN.test(answer.stderr))) continue
    if (answer.exitCode === 0) return { buildx, builder: parseInspect(answer.stdout, name) }
    throw noAnswer(name, lastLine(answer.stderr))
  }
  throw noBuildx()
}

/** How buildx is called here; undefined where there is none. */
export async function findBuildx(exec: Exec): Promise<BuildxCommand | undefined> {
  for (const buildx of CALLS) {
    const answer = await exec.run(buildx.command, [...buildx.prefix, 'version']).catch(() => undefined)
    if (answer?.exitCode === 0) return buildx
  }
  return undefined
}

export function noBuildx(): ImageCacheError {
  return new ImageCacheError('E_BUILDER', 'buildx is not installed: neither `docker buildx` nor `buildx` answers', {
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

/**
 * Reads the text that `buildx inspect` prints: `Field: value` lines, one block for the builder and one for each node.
 * @throws ImageCacheError E_BUILDER when no node answers
 */
export function parseInspect(text: string, name: string | undefined): Builder {
  const error = whySilent(text)
  if (error !== undefined) throw noAnswer(name, error)
  const { head, nodes, whole } = inspectBlocks(text)
  const alive = nodes.filter((node) => node.error === undefined)
  const versions = alive.flatMap(({ buildkit }) => buildkit ?? []).sort(compareVersions)
  return {
    name: field(head, 'Name') ?? name ?? 'default',
    driver: field(head, 'Driver') ?? 'unknown',
    buildkit: versions[0] ?? whole.buildkit,
    platforms: alive.length === 0 ? whole.platforms : [...new Set(alive.flatMap(({ platforms }) => platforms))],
    nodes,
    cacheExport: readFlag(field(text, ' *Cache export')),
  }
}

/** Why no node of a builder answers, by what `buildx inspect` printed; undefined when one does. */
export function whySilent(text: string): string | undefined {
  const { head, nodes, whole } = inspectBlocks(text)
  return field(head, 'Error') ?? (nodes.some(({ error }) => error === undefined) ? undefined : whole.error)
}

/** A builder in one sentence part: `ci: docker-container, BuildKit 0.33.1, 2 nodes, linux/amd64, linux/arm64`. */
export function builderText({ name, driver, buildkit, nodes, platforms, cacheExport }: Builder): string {
  const lost = nodes.filter(({ error }) => error !== undefined).length
  const parts = [
    driver,
    ...(buildkit === undefined ? [] : [`BuildKit ${buildkit}`]),
    ...(nodes.length > 1 ? [`${nodes.length} nodes`] : []),
    ...(lost > 0 ? [`${lost} of them without an answer`] : []),
    ...platforms.slice(0, 4),
    ...(cacheExport === false ? ['no cache export'] : []),
  ]
  return `${name}: ${parts.join(', ')}`
}

/** `whole` reads everything as one block: so a builder of an unknown form may have it. */
function inspectBlocks(text: string): {
  readonly head: string
  readonly nodes: readonly BuilderNode[]
  readonly whole: BuilderNode
} {
  const [head = '', ...blocks] = text.split(/^(?=Name:)/m).filter((block) => block.trim() !== '')
  return { head, nodes: blocks.map(readNode), whole: readNode(text) }
}

function readNode(text: string): BuilderNode {
  const platforms = field(text, 'Platforms')?.split(',') ?? []
  return {
    name: field(text, 'Name') ?? '',
    endpoint: field(text, 'Endpoint') ?? '',
    buildkit: field(text, 'BuildKit version')?.replace(/^v/, ''),
    platforms: platforms.map((platform) => platform.trim().replace(/\*$/, '')).filter((platform) => platform !== ''),
    // Of a remote daemon that isn't there buildx says no more than that.
    error: field(text, 'Error') ?? (field(text, 'Status') === 'inactive' ? 'it is inactive' : undefined),
  }
}

function field(text: string, label: string): string | undefined {
  return new RegExp(`^[ \\t]*${label}:[ \\t]*(\\S.*)$`, 'im').exec(text)?.[1]?.trim()
}

function readFlag(text: string | undefined): boolean | undefined {
  return text === 'true' ? true : text === 'false' ? false : undefined
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
