/** What an image runs on, in Go's words (OCI image-spec, image-index.md). */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  i686: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}

/** Variants that say the same as none (containerd/platforms, `database.go`). */
const DEFAULT_VARIANTS: Readonly<Record<string, string>> = { arm64: 'v8', amd64: 'v1' }

/** Older variants that a newer one also runs, best first. */
const RUNS_ALSO: Readonly<Record<string, readonly string[]>> = {
  'arm/v8': ['v7', 'v6', 'v5'],
  'arm/v7': ['v6', 'v5'],
  'arm/v6': ['v5'],
}

/**
 * Reads `os/architecture` or `os/architecture/variant`, with the names that people use for architectures.
 * @returns the normalized platform, or a sentence that says what is wrong.
 */
export function parsePlatform(text: string): Platform | string {
  const parts = text.trim().split('/')
  const [os = '', architecture = '', variant] = parts
  const wellFormed = parts.length <= 3 && parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))
  if (!wellFormed || architecture === '')
    return `${JSON.stringify(text)} is no platform such as linux/amd64 or linux/arm/v7`
  return normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) })
}

/** One spelling for each platform: `linux/aarch64/v8` is `linux/arm64`, `linux/arm` is `linux/arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const given = platform.architecture.toLowerCase()
  const [architecture, implied] = ARCHITECTURES[given] ?? [given]
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase()
  const spelled = (platform.variant ?? '').toLowerCase() || implied || (architecture === 'arm' ? 'v7' : '')
  const variant = /^[0-9]/.test(spelled) ? `v${spelled}` : spelled
  if (variant === '' || DEFAULT_VARIANTS[architecture] === variant) return { os, architecture }
  return { os, architecture, variant }
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform)
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}

/** Whether both say the same platform, variant and all. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(a) === formatPlatform(b)
}

/** What may stand in an index: a descriptor, seen with the fields that say whom it is for. */
interface Offered {
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Whether an index entry is not an image but says something about one: BuildKit's attestations carry
 * `vnd.docker.reference.type` and the platform unknown/unknown (buildkit docs, attestation-storage.md).
 */
export function isAttestation({ platform, annotations }: Offered): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || platform?.os === 'unknown'
}

/** The entry of an index that runs on a platform: its own variant, or else the best older one. Attestations never match. */
export function selectPlatform<T extends Offered>(offered: readonly T[], wanted: Platform): T | undefined {
  const images = offered.filter((entry) => !isAttestation(entry))
  const { os, architecture, variant } = normalizePlatform(wanted)
  const older = RUNS_ALSO[`${architecture}/${variant}`] ?? []
  const choices = [wanted, ...older.map((choice) => ({ os, architecture, variant: choice }))]
  for (const choice of choices) {
    const match = images.find((entry) => entry.platform !== undefined && samePlatform(entry.platform, choice))
    if (match !== undefined) return match
  }
  return undefined
}
