import type { Libc } from '../base/libc.ts'
import type { BaseFiles } from './base-files.ts'
import { baseLibc } from './base-libc.ts'

/** The parts of an image's configuration that tell of its Python (OCI image-spec, config.md). */
export interface BaseConfig {
  readonly env: Readonly<Record<string, string>>
  /** `created_by` of each history entry, oldest first. */
  readonly history: readonly string[]
  /** What the image's files tell, where they were read. */
  readonly files?: BaseFiles | undefined
}

/** A Python whose paths are known: `<prefix>/lib/python<version>/site-packages`. */
export interface BasePython {
  readonly kind: 'known'
  /** `3.12` */
  readonly version: string
  /** `3.12.4`; undefined where only the files tell the version. */
  readonly fullVersion: string | undefined
  readonly prefix: string
  readonly interpreter: string
  /**
   * Packages that the image ships, by normalised name, with their versions where the image tells them. Another version
   * on top would mix the two, so a lock must agree with what is there.
   */
  readonly shipped: ReadonlyMap<string, string | undefined>
  /** Installers choose wheels by it. Undefined where the image doesn't tell. */
  readonly libc: Libc | undefined
}

/** Files of these may come with any Python image; what else was installed decides whether layers can be put on top. */
const INSTALLER_PACKAGES = ['pip', 'setuptools', 'wheel']
/** Package managers of systems with glibc; a base without a history may be anything. */
const OF_GLIBC = /\b(?:apt-get|apt|dpkg|dnf|microdnf|yum|rpm|zypper)\b/
/** From this minor version on Docker's Python images ship pip alone. */
const WITHOUT_SETUPTOOLS = 12

/**
 * Finds out about a base image's Python from its configuration. Docker's official images, and those built on them,
 * carry PYTHON_VERSION and install below /usr/local. Of all others the files tell, where they were read; nothing is
 * guessed.
 * @param wanted the `python-version` input: a cross-check
 */
export function basePython(
  config: BaseConfig,
  wanted: string | undefined,
  /** For packages that go where they don't meet those of the base image, such as into an environment. */
  isolated = false,
): BasePython | { readonly kind: 'unknown'; readonly reason: string } {
  const unknown = (reason: string): { kind: 'unknown'; reason: string } => ({ kind: 'unknown', reason })
  const full = config.env.PYTHON_VERSION
  const version = /^3\.\d+/.exec(full ?? '')?.[0]
  if (version === undefined) return fromFiles(config, wanted, isolated)
  if (wanted !== undefined && wanted !== version)
    return unknown(`python-version is ${wanted}, the base image has ${version}`)
  if (config.env.PATH?.split(':')[0] !== '/usr/local/bin')
    return unknown('the base image puts another folder before /usr/local/bin on PATH')
  const libc = baseLibc(config.history)
  if (libc !== 'musl' && config.history.some((step) => /\bapk (add|--no-cache)/.test(step)))
    return unknown('the base image is an Alpine that does not tell its release, and with it which wheels it takes')
  const installed = isolated ? undefined : config.history.find((step) => installsPackages(step))
  if (installed !== undefined) return unknown(`the base image already has Python packages (${shorten(installed)})`)
  if (libc === undefined && !config.history.some((step) => OF_GLIBC.test(step)))
    return unknown('the base image tells nothing of its C library, by which wheels are chosen')
  const names = Number(version.slice(2)) >= WITHOUT_SETUPTOOLS ? ['pip'] : INSTALLER_PACKAGES
  return {
    kind: 'known',
    version,
    fullVersion: full ?? version,
    prefix: '/usr/local',
    interpreter: `/usr/local/bin/python${version}`,
    shipped: new Map(names.map((name) => [name, shippedVersion(name, config)])),
    libc,
  }
}

/** Folders of a usual PATH that stand before /usr/local/bin. */
const BEFORE_BIN = ['/usr/local/sbin', '/root/.local/bin', '/root/.cargo/bin']

function fromFiles(
  { env, history, files }: BaseConfig,
  wanted: string | undefined,
  isolated: boolean,
): ReturnType<typeof basePython> {
  const untold = 'the base image does not tell its Python (no PYTHON_VERSION in its configuration)'
  const unknown = (reason: string): ReturnType<typeof basePython> => ({ kind: 'unknown', reason })
  if (files === undefined) return unknown(untold)
  const { python } = files
  if (python.kind === 'unknown') return unknown(`${untold}, and ${python.reason}`)
  const { version, packages } = python
  if (wanted !== undefined && wanted !== version)
    return unknown(`python-version is ${wanted}, the base image has ${version}`)
  if (env.PATH?.split(':').find((folder) => !BEFORE_BIN.includes(folder)) !== '/usr/local/bin')
    return unknown('the base image puts another folder before /usr/local/bin on PATH')
  const more = [...packages.keys()].filter((name) => !INSTALLER_PACKAGES.includes(name) && name !== 'uv')
  if (!isolated && more.length > 0) return unknown(`the base image already has Python packages (${more.join(', ')})`)
  const interpreter = `/usr/local/bin/python${version}`
  return {
    kind: 'known',
    version,
    fullVersion: undefined,
    prefix: '/usr/local',
    interpreter,
    shipped: packages,
    libc: baseLibc(history),
  }
}

/** From the environment of older official images, or the command that installed it in newer ones. */
function shippedVersion(name: string, { env, history }: BaseConfig): string | undefined {
  const pinned = new RegExp(`\\b${name}==([\\w.]+)`)
  const installed = history.flatMap((step) => pinned.exec(step)?.[1] ?? [])
  return env[`PYTHON_${name.toUpperCase()}_VERSION`] ?? installed.at(-1)
}

function installsPackages(step: string): boolean {
  if (/\b(conda|mamba|poetry|pdm|pipenv)\b.*\b(install|create|sync)\b|\buv (sync|pip install|add)\b/.test(step))
    return true
  const [, rest] = /\bpip3? install\b([^&|;#]*)/.exec(step) ?? []
  if (rest === undefined) return false
  const words = rest.split(/\s+/).filter((word) => word !== '' && !/^-(-[a-z]|q|U$)/.test(word))
  const names = words.map((word) => /^["']?([\w.-]+)/.exec(word)?.[1]?.toLowerCase() ?? word)
  return names.length === 0 || !names.every((name) => INSTALLER_PACKAGES.includes(name))
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 77)}...` : line
}
