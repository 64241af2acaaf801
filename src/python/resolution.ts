/** One package of a lock, pinned. */
export interface ResolvedPackage {
  /** Normalised as PEP 503 says. */
  readonly name: string
  /** As PEP 440 writes it. */
  readonly version: string
  /** The wheel that the target platform would take. */
  readonly wheel: {
    readonly fileName: string
    /** Compressed bytes; unknown where the index doesn't tell (PEP 700). */
    readonly size: number | undefined
    /** Seconds since 1970. */
    readonly uploadedAt: number | undefined
  }
  /** `sha256:…` of every wheel of this version that may be taken. */
  readonly hashes: readonly string[]
  /** Normalised names of direct dependencies within this lock, where the lock tells. */
  readonly dependencies: readonly string[]
  /** As the lock of each platform that takes it has it, where the lock is for several: `linux/arm64`. */
  readonly onPlatforms?: ReadonlyMap<string, ResolvedPackage>
}

/** Where packages come from and how: packages of different settings never share a layer. */
export interface IndexSettings {
  readonly indexUrl: string | undefined
  readonly extraIndexUrls: readonly string[]
  readonly findLinks: readonly string[]
  readonly preReleases: boolean
}

/** The exact packages of an environment for one platform and Python. */
export interface Resolution {
  /** `3.12` */
  readonly pythonVersion: string
  /** `linux/amd64` */
  readonly platform: string
  readonly settings: IndexSettings
  /** Sorted by name. */
  readonly packages: readonly ResolvedPackage[]
}
