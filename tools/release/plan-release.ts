/** What a tag that is pushed is checked against. */
export interface ReleaseFacts {
  /** `v1.4.0`, `v2.0.0-rc.1`. */
  readonly tag: string
  /** `version` of package.json. */
  readonly packageVersion: string
  readonly changelog: string
  /** All tags of the repository. */
  readonly tags: readonly string[]
  /** Whether the tag's commit is on the default branch. */
  readonly isOnMain: boolean
}

/** What is done for a tag. */
export interface ReleasePlan {
  readonly version: string
  /** What `npm install` takes without a version is `latest`. */
  readonly npmTag: 'latest' | 'next' | `v${number}`
  readonly isPrerelease: boolean
  /** Whether it is the highest version of all. */
  readonly isLatest: boolean
  /** Tags that from now on stand for this release: of its minor version, and of its major version. */
  readonly move: readonly string[]
}

interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number]
  readonly isPrerelease: boolean
}

/**
 * Plans a release.
 * @returns the plan, or a sentence for each thing that speaks against it
 */
export function planRelease(facts: ReleaseFacts): ReleasePlan | readonly string[] {
  const { tag, packageVersion, changelog, tags, isOnMain } = facts
  const version = parseVersion(tag)
  if (version === undefined) return [`${tag} is not vX.Y.Z or vX.Y.Z-word.N`]
  const mistakes = [
    ...(`v${packageVersion}` === tag ? [] : [`package.json says ${packageVersion}, the tag says ${tag}`]),
    ...(releaseNotes(changelog, tag) === '' ? [`CHANGELOG.md has no section "## ${tag.slice(1)}"`] : []),
    ...(isOnMain ? [] : [`the commit of ${tag} is not on main`]),
  ]
  if (mistakes.length > 0) return mistakes
  const [major, minor] = version.numbers
  const { isPrerelease } = version
  const others = tags.flatMap((other) => parseVersion(other) ?? []).filter((other) => !other.isPrerelease)
  const isNewest = (numbers: readonly number[]): boolean =>
    !isPrerelease &&
    others
      .filter((other) => numbers.every((number, at) => other.numbers[at] === number))
      .every((other) => compare(other, version) <= 0)
  const isLatest = isNewest([])
  return {
    version: tag.slice(1),
    npmTag: isPrerelease ? 'next' : isLatest ? 'latest' : `v${major}`,
    isPrerelease,
    isLatest,
    move: [...(isNewest([major, minor]) ? [`v${major}.${minor}`] : []), ...(isNewest([major]) ? [`v${major}`] : [])],
  }
}

/** The section of the changelog that is about a release; empty when there is none. */
export function releaseNotes(changelog: string, tag: string): string {
  const sections = changelog.split(/^## /m).slice(1)
  const own = sections.find((section) =>
    new RegExp(`^\\[?${tag.slice(1).replaceAll('.', '\\.')}\\]?(\\s|$)`).test(section),
  )
  return own === undefined ? '' : own.slice(own.indexOf('\n') + 1).trim()
}

function parseVersion(tag: string): Version | undefined {
  const [, major, minor, patch, rest] = /^v(\d+)\.(\d+)\.(\d+)(-[a-z]+\.\d+)?$/.exec(tag) ?? []
  if (major === undefined) return undefined
  return { numbers: [Number(major), Number(minor), Number(patch)], isPrerelease: rest !== undefined }
}

function compare(a: Version, b: Version): number {
  const at = a.numbers.findIndex((number, index) => number !== b.numbers[index])
  return at < 0 ? 0 : (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0)
}
