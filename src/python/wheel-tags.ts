import type { Libc } from '../base/libc.ts'
import type { LibcRange } from './libc-range.ts'

/** What a wheel's file name says (binary distribution format, "File name convention"). */
export interface WheelName {
  readonly name: string
  readonly version: string
  /** Build number, 0 without one. */
  readonly build: number
  readonly pythonTags: readonly string[]
  readonly abiTags: readonly string[]
  readonly platformTags: readonly string[]
}

/** Where wheels are to run. */
export interface WheelTarget {
  /** `3.12` or `3.12.4` */
  readonly pythonVersion: string
  /** `linux/amd64`, `linux/arm64`; others take only wheels for any platform. */
  readonly platform: string
  /** What is known of its C library; nothing when absent. */
  readonly libc?: LibcRange
}

const LEGACY_MANYLINUX: ReadonlyMap<string, number> = new Map([
  ['manylinux2014', 17],
  ['manylinux2010', 12],
  ['manylinux1', 5],
])

/** Of musl 1.2. */
const MUSL_MINOR = 2

/** Machine name that platform tags end in, for an OCI platform. */
export function machineOf(platform: string): string | undefined {
  if (platform === 'linux/amd64' || platform.startsWith('linux/amd64/')) return 'x86_64'
  if (platform === 'linux/arm64' || platform.startsWith('linux/arm64/')) return 'aarch64'
  return undefined
}

export function parseWheelName(fileName: string): WheelName | undefined {
  if (!fileName.endsWith('.whl')) return undefined
  const parts = fileName.slice(0, -'.whl'.length).split('-')
  if (parts.length !== 5 && parts.length !== 6) return undefined
  const [name, version] = parts
  const [python, abi, platform] = parts.slice(-3)
  if (!name || !version || !python || !abi || !platform) return undefined
  const build = parts.length === 6 ? Number(/^\d+/.exec(parts[2] ?? '')?.[0] ?? Number.NaN) : 0
  if (Number.isNaN(build)) return undefined
  const tags = (text: string): readonly string[] => text.split('.')
  return { name, version, build, pythonTags: tags(python), abiTags: tags(abi), platformTags: tags(platform) }
}

/**
 * How well a wheel fits, the way installers rank: own interpreter and ABI first, then the stable ABI from new to old,
 * then pure Python; within one kind the newest C library.
 * @param libc wheels may ask for it or an older one (PEP 600, PEP 656)
 * @returns smaller is better; undefined when the wheel doesn't run there.
 */
export function wheelRank(wheel: WheelName, target: WheelTarget, libc: Libc): number | undefined {
  const minor = Number(/^3\.(\d+)/.exec(target.pythonVersion)?.[1] ?? Number.NaN)
  if (Number.isNaN(minor)) return undefined
  const machine = machineOf(target.platform)
  let best: number | undefined
  for (const python of wheel.pythonTags) {
    for (const abi of wheel.abiTags) {
      for (const platform of wheel.platformTags) {
        const kind = kindRank(python, abi, platform, minor)
        const place = platformRank(platform, machine, libc)
        if (kind === undefined || place === undefined) continue
        const rank = kind * 1000 + place
        if (best === undefined || rank < best) best = rank
      }
    }
  }
  return best
}

/** The best wheel of several; among equals the higher build number, then the file name, decides. */
export function bestWheel<T extends { readonly fileName: string }>(
  wheels: readonly T[],
  target: WheelTarget,
  libc: Libc,
): T | undefined {
  const ranked = wheels.flatMap((wheel) => {
    const name = parseWheelName(wheel.fileName)
    const rank = name === undefined ? undefined : wheelRank(name, target, libc)
    return name === undefined || rank === undefined ? [] : [{ wheel, rank, build: name.build }]
  })
  ranked.sort((a, b) => a.rank - b.rank || b.build - a.build || (a.wheel.fileName < b.wheel.fileName ? -1 : 1))
  return ranked[0]?.wheel
}

function kindRank(python: string, abi: string, platform: string, minor: number): number | undefined {
  const anyPlatform = platform === 'any'
  const own = `cp3${minor}`
  if (python === own && abi === own && !anyPlatform) return 0
  if (abi === 'abi3' && !anyPlatform) {
    const built = Number(/^cp3(\d+)$/.exec(python)?.[1] ?? Number.NaN)
    return built >= 2 && built <= minor ? 1 + (minor - built) * 2 : undefined
  }
  if (abi !== 'none') return undefined
  if (python === own) return anyPlatform ? 300 : 2
  const pure = /^py3(\d*)$/.exec(python)?.[1]
  if (pure === undefined) return undefined
  const age = pure === '' ? 1 : pure === String(minor) ? 0 : 2 + minor - Number(pure)
  return pure !== '' && Number(pure) > minor ? undefined : (anyPlatform ? 301 : 200) + age
}

function platformRank(tag: string, machine: string | undefined, libc: Libc): number | undefined {
  if (tag === 'any') return 0
  if (machine === undefined) return undefined
  if (tag === `linux_${machine}`) return 999
  if (libc === 'musl') {
    const built = new RegExp(`^musllinux_1_(\\d+)_${machine}$`).exec(tag)?.[1]
    return built === undefined || Number(built) > MUSL_MINOR ? undefined : MUSL_MINOR - Number(built)
  }
  const [, prefix, minor] =
    new RegExp(`^(manylinux1|manylinux2010|manylinux2014|manylinux_2_(\\d+))_${machine}$`).exec(tag) ?? []
  const wanted = minor === undefined ? LEGACY_MANYLINUX.get(prefix ?? '') : Number(minor)
  return wanted === undefined || wanted > libc ? undefined : libc - wanted
}
