import { splitFields } from './option-fields.ts'

/** Options that buildx gets as the user gave them: what commands of the build meet, and what is attested. */
export interface BuilderOptions {
  /** `NAME:ADDRESS`. */
  readonly addHosts: readonly string[]
  /** As `--attest` takes them. */
  readonly attests: readonly string[]
  readonly cgroupParent: string | undefined
  readonly network: string | undefined
  /** Names of stages that are built anew. */
  readonly noCacheFilters: readonly string[]
  readonly shmSize: string | undefined
  /** `default` or `ID=path`. */
  readonly ssh: readonly string[]
  readonly ulimits: readonly string[]
}

/** Arguments of `buildx build`, in a fixed order; attestations are apart, see `attestArgs`. */
export function optionArgs(options: BuilderOptions): readonly string[] {
  return [
    ...each('--add-host', options.addHosts),
    ...each('--cgroup-parent', [options.cgroupParent]),
    ...each('--network', [options.network]),
    ...each('--no-cache-filter', options.noCacheFilters),
    ...each('--shm-size', [options.shmSize]),
    ...each('--ssh', options.ssh),
    ...each('--ulimit', options.ulimits),
  ]
}

/** What was asked for by an option of its own wins: buildx takes no attestation twice. */
export function attestArgs(
  { attests }: BuilderOptions,
  own: { readonly provenance: string | undefined; readonly sbom: string | undefined },
): readonly string[] {
  const taken = (['provenance', 'sbom'] as const).filter((type) => own[type] !== undefined)
  return each(
    '--attest',
    attests.filter((attest) => !taken.some((type) => type === attestType(attest))),
  )
}

/** The type of an attestation such as `type=sbom,generator=image`. */
export function attestType(attest: string): string | undefined {
  const fields = splitFields(attest)
  return typeof fields === 'string' ? undefined : fields.get('type')
}

/**
 * What of the options decides what is in the image, one text for each; undefined when there is nothing, so that keys
 * stay what they are without options. Of SSH keys the ids alone count, as with secrets.
 */
export function decidingOptions(options: BuilderOptions): readonly string[] | undefined {
  const ids = options.ssh.map((one) => one.split('=', 1)[0] ?? '')
  const { cgroupParent: _placement, noCacheFilters: _freshness, attests, ...others } = { ...options, ssh: ids }
  const deciding = [...each('--attest', attests), ...optionArgs({ ...others, ...NOTHING })]
  return deciding.length === 0 ? undefined : deciding
}

const NOTHING = { attests: [], cgroupParent: undefined, noCacheFilters: [] }

function each(flag: string, values: readonly (string | undefined)[]): readonly string[] {
  return values.flatMap((value) => (value === undefined ? [] : [flag, value]))
}
