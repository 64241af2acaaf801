import type { Libc } from '../base/libc.ts'

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

/** Alpine 3.13 brought musl 1.2, whose wheels older releases don't take. */
const FIRST_WITH_MUSL_2 = 13

/**
 * The C library of an image, as the history of the official images tells of their release; installers choose wheels by
 * it (PEP 600, PEP 656). Undefined where the history doesn't tell.
 * @param history `created_by` of each entry, oldest first
 */
export function baseLibc(history: readonly string[]): Libc | undefined {
  const [first = ''] = history
  const [, suite] = /^# debian\.sh\b.* '([a-z]+)' '@\d+'/.exec(first) ?? []
  if (suite !== undefined) return DEBIAN.get(suite)
  const [, alpine] = /^ADD alpine-minirootfs-3\.(\d+)\.\d+-/.exec(first) ?? []
  if (alpine !== undefined) return Number(alpine) < FIRST_WITH_MUSL_2 ? undefined : 'musl'
  const labels = history.flatMap((step) => {
    const [, name, value] = /\bLABEL org\.opencontainers\.image\.(ref\.name|version)=(\S+)/.exec(step) ?? []
    return name === undefined || value === undefined ? [] : [{ name, value }]
  })
  // The first ones are the base's own; images built on it may write others over them.
  const isUbuntu = labels.find(({ name }) => name === 'ref.name')?.value === 'ubuntu'
  return isUbuntu ? UBUNTU.get(labels.find(({ name }) => name === 'version')?.value ?? '') : undefined
}
