import type { LayerGroup, LayerPlan } from '../layers/layer-plan.ts'
import type { IndexSettings } from '../python/resolution.ts'
import type { InstallStep } from './dockerfile.ts'

/** Install steps of one stage that become layers together: same settings, one resolution. */
export interface StageLayers {
  /** Index of the stage in the file. */
  readonly stage: number
  readonly steps: readonly InstallStep[]
  readonly plan: LayerPlan
  /** `3.12` */
  readonly pythonVersion: string
  /** Where the final image has its Python: `/usr/local`. */
  readonly prefix: string
  /** Python of the final image, which console scripts name: `/usr/local/bin/python3.12`. */
  readonly interpreter: string
  /** Python of the installer image; the same path when absent. */
  readonly installerInterpreter?: string
  /** Image with that Python and uv, pinned by digest. */
  readonly installerImage: string
  /** What the image is built for: `linux/amd64`. */
  readonly platform: string
  readonly settings: IndexSettings
  /** Whether the user's commands leave bytecode behind. */
  readonly bytecode: boolean
}

/** What the machine needs to reach its package index; the same in every stage. */
export interface InstallerSurroundings {
  /** Flags of the RUN, such as a secret mount with a CA bundle: `--mount=type=secret,id=…`. */
  readonly runFlags?: readonly string[]
  /** Variables of the install script. */
  readonly environment?: Readonly<Record<string, string>>
}

/** uv's names for machines, and what `uname -m` says there. */
const MACHINES: Readonly<Record<string, string>> = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' }

/** One constant time for every file, 1980-01-01: the first that zip files can hold. */
const FILE_TIME = 315532800

/** `image-cache-deps-<stage>-<slot>`: names don't enter BuildKit's cache keys. */
export function dependencyStageName(stage: number, slot: number): string {
  return `image-cache-deps-${stage}-${slot}`
}

/**
 * The stage that installs one group as a whole tree under /layer. Its RUN is BuildKit's cache key, so it holds what
 * decides this group's files and nothing of other groups; the tree has the same bytes wherever and whenever it is made
 * (wheels by hash, constant times, bytecode that depends on content alone).
 *
 * The script starts with `#!`, which makes BuildKit hand it over as a file: as an argument it would have to stay below
 * the kernel's 128 kB, and hashes alone may be longer.
 * @returns lines joined by LF, as scripts need them, with a line ending at the end.
 * @throws RangeError when a package has no hash: such a lock can't be installed safely.
 */
export function dependencyStage(
  layers: StageLayers,
  group: LayerGroup,
  name: string,
  surroundings: InstallerSurroundings,
): string {
  const machine = MACHINES[layers.platform]
  const from = machine === undefined ? 'FROM' : 'FROM --platform=$BUILDPLATFORM'
  const flags = (surroundings.runFlags ?? []).map((flag) => `${flag} `).join('')
  const exports = Object.entries(surroundings.environment ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const target = `/layer${layers.prefix}`
  return [
    `${from} ${layers.installerImage} AS ${name}`,
    `RUN ${flags}<<'IMAGE_CACHE'`,
    '#!/bin/sh',
    'set -eu',
    'umask 022',
    'export UV_NO_CONFIG=1 UV_NO_INSTALLER_METADATA=1 UV_COMPILE_BYTECODE=0 PYTHONHASHSEED=0',
    ...exports.map(([variable, value]) => `export ${variable}=${quoted(value)}`),
    'set --',
    ...(machine === undefined
      ? []
      : [`[ "$(uname -m)" = ${machine} ] || set -- --python-platform ${machine}-unknown-linux-gnu`]),
    [...installWords(layers, target), '"$@"', '-r', '-', "<<'PACKAGES'"].join(' '),
    ...packageLines(group),
    'PACKAGES',
    `rm -f ${quoted(`${target}/.lock`)}`,
    ...shebangLines(layers, target),
    ...bytecodeLines(layers, target),
    'find /layer -type d -exec chmod 755 {} +',
    `find /layer -exec touch -h -d @${FILE_TIME} {} +`,
    'IMAGE_CACHE',
    '',
  ].join('\n')
}

function installWords(layers: StageLayers, target: string): readonly string[] {
  const { indexUrl, extraIndexUrls, findLinks, preReleases } = layers.settings
  return [
    'uv pip install --quiet --no-deps --require-hashes --no-cache --only-binary :all:',
    `--python ${quoted(layers.installerInterpreter ?? layers.interpreter)} --prefix ${quoted(target)}`,
    ...(indexUrl === undefined ? [] : [`--index-url ${quoted(indexUrl)}`]),
    ...extraIndexUrls.map((url) => `--extra-index-url ${quoted(url)}`),
    // uv stops at the first index that knows a name; with pinned hashes any index may hold the file.
    ...(extraIndexUrls.length === 0 ? [] : ['--index-strategy unsafe-best-match']),
    ...findLinks.map((url) => `--find-links ${quoted(url)}`),
    ...(preReleases ? ['--prerelease allow'] : []),
  ]
}

function packageLines(group: LayerGroup): readonly string[] {
  const packages = [...group.packages].sort((a, b) => (a.name < b.name ? -1 : 1))
  return packages.flatMap(({ name, version, hashes }) => {
    if (hashes.length === 0) throw new RangeError(`${name} ${version} has no hash`)
    const sorted = [...new Set(hashes)].sort()
    return [
      `${name}==${version} \\`,
      ...sorted.map((hash, index) => `    --hash=${hash}${index < sorted.length - 1 ? ' \\' : ''}`),
    ]
  })
}

/** Console scripts name the Python that installed them; where the final image has it elsewhere they are told so. */
function shebangLines(
  { interpreter, installerInterpreter = interpreter }: StageLayers,
  target: string,
): readonly string[] {
  if (installerInterpreter === interpreter) return []
  const change = `1s|^#!${installerInterpreter}$|#!${interpreter}|`
  return [
    `if [ -d ${quoted(`${target}/bin`)} ]; then find ${quoted(`${target}/bin`)} -type f -exec sed -i ${quoted(change)} {} +; fi`,
  ]
}

/** One process and hashes instead of times, or the bytes would differ each time. What can't be compiled stays as it is, as pip leaves it. */
function bytecodeLines(layers: StageLayers, target: string): readonly string[] {
  if (!layers.bytecode) return []
  const python = quoted(layers.installerInterpreter ?? layers.interpreter)
  const folder = quoted(`${target}/lib/python${layers.pythonVersion}`)
  return [`${python} -m compileall -qq -j1 -s /layer -p / --invalidation-mode unchecked-hash ${folder} || true`]
}

/** A word for the shell; plain ones stay readable. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
