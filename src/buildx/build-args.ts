import { attestArgs, type BuilderOptions, optionArgs } from './builder-options.ts'
import { type CacheOption, formatCacheOption } from './cache-option.ts'

/** One `buildx build`, as data. Paths are ready to use, secrets are in files. */
export interface BuildPlan {
  readonly builder: string | undefined
  readonly context: string
  readonly dockerfile: string
  readonly target: string | undefined
  readonly platforms: readonly string[]
  readonly buildArgs: ReadonlyMap<string, string>
  readonly buildContexts: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** As `--annotation` takes them. */
  readonly annotations: readonly string[]
  /** `id=…,src=…` or `id=…,env=…`. */
  readonly secrets: readonly string[]
  /** Full references; buildx gives them to every image output. */
  readonly tags: readonly string[]
  readonly outputs: readonly string[]
  readonly cacheFrom: readonly CacheOption[]
  readonly cacheTo: readonly CacheOption[]
  readonly allow: readonly string[]
  readonly provenance: string | undefined
  readonly sbom: string | undefined
  readonly noCache: boolean
  readonly pull: boolean
  /** What buildx gets as the user gave it. */
  readonly options?: BuilderOptions
  /** What is asked instead of building, such as `check`. */
  readonly call?: string | undefined
  readonly metadataFile: string
}

/** Arguments of `buildx build` for a plan, in a fixed order. */
export function buildArgs(plan: BuildPlan): readonly string[] {
  const pairs = (flag: string, values: ReadonlyMap<string, string>): string[] =>
    [...values].flatMap(([name, value]) => [flag, `${name}=${value}`])
  const each = (flag: string, values: readonly string[]): string[] => values.flatMap((value) => [flag, value])
  const optional = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value])
  return [
    'build',
    '--progress=rawjson',
    ...optional('--builder', plan.builder),
    ...each('--allow', plan.allow),
    ...each('--annotation', plan.annotations),
    ...pairs('--build-arg', plan.buildArgs),
    ...pairs('--build-context', plan.buildContexts),
    ...each('--cache-from', plan.cacheFrom.map(formatCacheOption)),
    ...each('--cache-to', plan.cacheTo.map(formatCacheOption)),
    ...pairs('--label', plan.labels),
    ...(plan.noCache ? ['--no-cache'] : []),
    ...(plan.pull ? ['--pull'] : []),
    ...each('--output', plan.outputs),
    ...(plan.platforms.length > 0 ? ['--platform', plan.platforms.join(',')] : []),
    ...optional('--provenance', plan.provenance),
    ...optional('--sbom', plan.sbom),
    ...(plan.options === undefined ? [] : [...attestArgs(plan.options, plan), ...optionArgs(plan.options)]),
    ...optional('--call', plan.call),
    ...each('--secret', plan.secrets),
    ...each('--tag', plan.tags),
    ...optional('--target', plan.target),
    '--metadata-file',
    plan.metadataFile,
    '--file',
    plan.dockerfile,
    plan.context,
  ]
}

/**
 * The `--output` for an image that is pushed under its `--tag` names. Media types are pinned to OCI, because BuildKit's default changed in
 * 0.31 and digests must not depend on the builder. Compression is never forced: that would pull cached layers.
 * @param config see `withImageConfig`
 * @param byDigest repositories that the image goes to without a tag
 * @param level of the compression; the builder's own when not given
 */
export function pushOutput(
  compression: string,
  config?: string,
  { byDigest = [], level }: { readonly byDigest?: readonly string[]; readonly level?: number | undefined } = {},
): string {
  const levelled = level === undefined ? '' : `,compression-level=${level}`
  const names = byDigest.length === 0 ? '' : `,"name=${byDigest.join(',')}",push-by-digest=true,name-canonical=true`
  return withImageConfig(
    `type=image,push=true,oci-mediatypes=true,compression=${compression}${levelled}${names}`,
    config,
  )
}

/**
 * An output that gives the image this configuration instead of the one that the Dockerfile says: attributes that
 * BuildKit's image exporters don't know replace what the frontend handed over (exporter/containerimage, exporter/oci).
 * @param config JSON of one platform's configuration; layers and times are filled in by the exporter
 */
export function withImageConfig(output: string, config: string | undefined): string {
  return config === undefined ? output : `${output},"containerimage.config=${config.replaceAll('"', '""')}"`
}
