import { type CacheOption, formatCacheOption } from './cache-option.ts'

/** One image of a `buildx bake` call, as data; paths are absolute. */
export interface BakeTarget {
  /** Letters, digits, `_` and `-`. */
  readonly name: string
  readonly context: string
  readonly dockerfile: string
  /** The stage to build. */
  readonly stage: string
  readonly platforms: readonly string[]
  readonly buildArgs: ReadonlyMap<string, string>
  readonly buildContexts: ReadonlyMap<string, string>
  /** `id=…,src=…` or `id=…,env=…`. */
  readonly secrets: readonly string[]
  readonly output: string
  readonly cacheFrom: readonly CacheOption[]
  readonly cacheTo: readonly CacheOption[]
  readonly noCache: boolean
  readonly pull: boolean
}

/** One `buildx bake`: several images side by side in one session with one daemon. */
export interface BakePlan {
  readonly builder: string | undefined
  readonly targets: readonly BakeTarget[]
  /** Entitlements, for all targets. */
  readonly allow: readonly string[]
  /** Where the definition is written to. */
  readonly definitionFile: string
  readonly metadataFile: string
}

/**
 * The output of an image that gets no tag: it is pushed as soon as it is made, and known by its digest.
 * @param level of the compression; the builder's own when not given
 */
export function digestOutput(repository: string, compression: string, level?: number): string {
  const levelled = level === undefined ? '' : `,compression-level=${level}`
  const form = `oci-mediatypes=true,compression=${compression}${levelled}`
  return `type=image,name=${repository},push=true,push-by-digest=true,name-canonical=true,${form}`
}

/** Arguments of `buildx bake` for a plan, in a fixed order. */
export function bakeArgs(plan: BakePlan): readonly string[] {
  return [
    'bake',
    '--progress=rawjson',
    ...(plan.builder === undefined ? [] : ['--builder', plan.builder]),
    ...plan.allow.flatMap((entitlement) => ['--allow', entitlement]),
    '--metadata-file',
    plan.metadataFile,
    '--file',
    plan.definitionFile,
    ...plan.targets.map(({ name }) => name),
  ]
}

/** The definition as JSON (buildx, bake reference). */
export function bakeDefinition({ targets, allow }: Pick<BakePlan, 'targets' | 'allow'>): string {
  const target = Object.fromEntries(targets.map((one) => [one.name, definitionOf(one, allow)]))
  return JSON.stringify({ target }, (_, value: unknown) => (typeof value === 'string' ? literal(value) : value), 2)
}

function definitionOf(target: BakeTarget, allow: readonly string[]): object {
  return {
    context: target.context,
    dockerfile: target.dockerfile,
    target: target.stage,
    platforms: filled(target.platforms),
    args: Object.fromEntries(target.buildArgs),
    contexts: Object.fromEntries(target.buildContexts),
    secret: filled(target.secrets),
    output: [target.output],
    'cache-from': filled(target.cacheFrom.map(formatCacheOption)),
    'cache-to': filled(target.cacheTo.map(formatCacheOption)),
    'no-cache': target.noCache || undefined,
    pull: target.pull || undefined,
    entitlements: filled(allow),
  }
}

/** Bake fills in variables wherever it reads a text (HCL's templates); doubled signs stand for themselves. */
function literal(text: string): string {
  return text.replace(/[$%](?=\{)/g, (sign) => sign + sign)
}

function filled<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list
}
