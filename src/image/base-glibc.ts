/** Releases never change their C library's version: `2.x` of Debian's, by their names, and of Ubuntu's. */
const DEBIAN: ReadonlyMap<string, number> = new Map([
  ['buster', 28],
  ['bullseye', 31],
  ['bookworm', 36],
  ['trixie', 41],
])
const UBUNTU: ReadonlyMap<string, number> = new Map([
  ['18.04', 27],
  ['20.04', 31],
  ['22.04', 35],
  ['24.04', 39],
])

/**
 * The C library of an image, `36` for 2.36, as the history of the official images tells of their release; installers
 * choose wheels by it (PEP 600). Undefined where the history doesn't tell.
 * @param history `created_by` of each entry, oldest first
 */
export function baseGlibc(history: readonly string[]): number | undefined {
  const [first = ''] = history
  const [, suite] = /^# debian\.sh\b.* '([a-z]+)' '@\d+'/.exec(first) ?? []
  if (suite !== undefined) return DEBIAN.get(suite)
  const labels = history.flatMap((step) => {
    const [, name, value] = /\bLABEL org\.opencontainers\.image\.(ref\.name|version)=(\S+)/.exec(step) ?? []
    return name === undefined || value === undefined ? [] : [{ name, value }]
  })
  // The first ones are the base's own; images built on it may write others over them.
  const isUbuntu = labels.find(({ name }) => name === 'ref.name')?.value === 'ubuntu'
  return isUbuntu ? UBUNTU.get(labels.find(({ name }) => name === 'version')?.value ?? '') : undefined
}
