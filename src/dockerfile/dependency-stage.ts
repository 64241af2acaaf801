import type { Libc } from '../base/libc.ts'
import { shellWord } from '../base/shell-word.ts'
import type { LayerGroup, LayerPlan } from '../layers/layer-plan.ts'
import type { IndexSettings } from '../python/resolution.ts'
import type { InstallStep } from './dockerfile.ts'
import { likeInstaller } from './like-installer.ts'
import { type OwnedLayers, ownerScript } from './owned-layers.ts'
import { hasMachine, machineLines, platformMarker } from './target-machine.ts'

/** An environment that no step of the user's makes any more: `uv sync` did, before layers took its place. */
export interface EnvironmentSkeleton {
  /** Folder of the project, absolute: uv names the environment after what it finds there. */
  readonly projectFolder: string
  /** As pyproject.toml has it; undefined: the project has none. */
  readonly projectName: string | undefined
  readonly requiresPython: string | undefined
  /** Exact version of the final image's Python, which the environment notes: `3.12.4`. */
  readonly pythonFullVersion: string
}

/** Install steps of one stage that become layers together: same settings, one resolution. */
export interface StageLayers {
  /** Index of the stage in the file. */
  readonly stage: number
  readonly steps: readonly InstallStep[]
  readonly plan: LayerPlan
  /** `rewrite`, or absent: layers take the steps' place; `seed`: they stand before the steps, which then find their packages there. */
  readonly way?: 'rewrite' | 'seed'
  /** `tree`, or absent: as Python has it, with lib and bin; `flat`: all in one folder (`--target`). */
  readonly layout?: 'tree' | 'flat'
  /** Whom the packages belong to in the image, as `COPY --chown` names it; absent: root. */
  readonly owner?: string | undefined
  /** The virtual environment that the packages go to: then it is the prefix, too. */
  readonly environment?: string | undefined
  /** Set where the layers must bring the environment itself. */
  readonly skeleton?: EnvironmentSkeleton | undefined
  /** `3.12` */
  readonly pythonVersion: string
  /** Where the packages go in the final image: `/usr/local`, where its Python is, or a folder of the user's. */
  readonly prefix: string
  /** Python of the final image, which console scripts name: `/usr/local/bin/python3.12`. */
  readonly interpreter: string
  /** Python of the installer image; the same path when absent. Only where there is no environment. */
  readonly installerInterpreter?: string
  /** Image with that Python and uv, pinned by digest. */
  readonly installerImage: string
  /** What the image is built for: `linux/amd64`. */
  readonly platform: string
  /** Its C library, by which wheels are chosen: `36` is 2.36. */
  readonly libc: Libc
  /** More platforms that the same stages are for: each builds them with its own wheels. */
  readonly morePlatforms?: readonly string[]
  readonly settings: IndexSettings
  /** Whether the user's commands leave bytecode behind. */
  readonly bytecode: boolean
  /** Where only some of the packages have bytecode: their names. Groups have it as a whole, or not at all. */
  readonly compiled?: readonly string[] | undefined
}

/** What the machine needs to reach its package index; the same in every stage. */
export interface InstallerSurroundings {
  /** Flags of the RUN, such as a secret mount with a CA bundle: `--mount=type=secret,id=…`. */
  readonly runFlags?: readonly string[]
  /** Variables of the install script. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Where a group's stage leaves its tree: below /layer, to be copied from there, or at its final place, so that the
 * stage's last layer is the group's and nothing need be copied.
 */
export type TreePlace = 'layer-folder' | 'final'

/** One constant time for every file, 1980-01-01: the first that zip files can hold. */
export const FILE_TIME = 315532800

/** `image-cache-deps-<stage>-<slot>`: names don't enter BuildKit's cache keys. */
export function dependencyStageName(stage: number, slot: number): string {
  return `image-cache-deps-${stage}-${slot}`
}

/** `image-cache-venv-<stage>` */
export function environmentStageName(stage: number): string {
  return `image-cache-venv-${stage}`
}

/**
 * The stage that makes an environment as `uv sync` would, without packages: a project of the same name in the same folder
 * that needs nothing. A layer of its own, a few kilobytes, so that packages don't depend on it.
 */
export function environmentStage(
  layers: StageLayers,
  skeleton: EnvironmentSkeleton,
  name: string,
  place: TreePlace = 'layer-folder',
  owned?: OwnedLayers,
): string {
  const { projectFolder, projectName = 'project', requiresPython, pythonFullVersion } = skeleton
  const folder = shellWord(layers.environment ?? layers.prefix)
  const python = requiresPython ?? `>=${layers.pythonVersion}`
  return [
    `FROM --platform=$BUILDPLATFORM ${layers.installerImage} AS ${name}`,
    `RUN ${ownerFlags(owned)}<<'IMAGE_CACHE'`,
    '#!/bin/sh',
    'set -eu',
    'umask 022',
    ...(place === 'final' ? [...UNSEEN, ...notingFolders(projectFolder, parentOf(layers.prefix))] : []),
    `mkdir -p ${shellWord(projectFolder)} /layer`,
    `cd ${shellWord(projectFolder)}`,
    "cat > pyproject.toml <<'PROJECT'",
    '[project]',
    `name = ${JSON.stringify(projectName)}`,
    'version = "0"',
    `requires-python = ${JSON.stringify(python)}`,
    'PROJECT',
    `UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=${folder} uv sync --quiet --offline --no-cache`,
    `sed -i 's/^version_info = .*/version_info = ${pythonFullVersion}/' ${folder}/pyvenv.cfg`,
    `rm -f ${folder}/.lock`,
    `mkdir -p /layer${parentOf(layers.prefix)}`,
    `cp -a ${folder} /layer${parentOf(layers.prefix)}/`,
    ...finishLines(layers.prefix, owned),
    ...(place === 'final' ? [...unseenProject(projectFolder), ...unseenEnvironment(layers), ...TO_FINAL_PLACE] : []),
    'IMAGE_CACHE',
    '',
  ].join('\n')
}

/** Notes which folders of these paths are not there yet, the lowest one of each first. */
function notingFolders(...paths: readonly string[]): readonly string[] {
  const folders = paths.flatMap((path) => {
    const parts = path.split('/').filter((part) => part !== '')
    return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
  })
  return ["made=''", ...folders.map((folder) => `[ -e ${shellWord(folder)} ] || made="${folder} $made"`)]
}

/** The project was there for the environment's sake. Folders of the installer image stay: to make one anew would hide what lies below. */
function unseenProject(folder: string): readonly string[] {
  return ['cd /', `rm -f ${shellWord(`${folder}/pyproject.toml`)} ${shellWord(`${folder}/uv.lock`)}`]
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
  place: TreePlace = 'layer-folder',
  owned?: OwnedLayers,
): string {
  const from = hasMachine(layers.platform) ? 'FROM --platform=$BUILDPLATFORM' : 'FROM'
  const flags = (surroundings.runFlags ?? []).map((flag) => `${flag} `).join('')
  const exports = Object.entries(surroundings.environment ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const target = `/layer${layers.prefix}`
  const isShared = (layers.morePlatforms ?? []).length > 0
  return [
    `${from} ${layers.installerImage} AS ${name}`,
    ...(isShared ? ['ARG TARGETARCH'] : []),
    `RUN ${flags}${ownerFlags(owned)}<<'IMAGE_CACHE'`,
    '#!/bin/sh',
    'set -eu',
    'umask 022',
    'export UV_NO_CONFIG=1 UV_NO_INSTALLER_METADATA=1 UV_COMPILE_BYTECODE=0 PYTHONHASHSEED=0',
    ...exports.map(([variable, value]) => `export ${variable}=${shellWord(value)}`),
    ...(place === 'final' ? UNSEEN : []),
    ...(place === 'final' && layers.environment !== undefined ? notingFolders(parentOf(layers.environment)) : []),
    'set --',
    ...machineLines(layers.platform, layers.libc, isShared),
    // A platform may have no package of this group.
    ...(isShared ? [`mkdir -p ${shellWord(target)}`] : []),
    ...(layers.environment === undefined ? [] : environmentLines(layers, layers.environment)),
    [...installWords(layers, target), '"$@"', '-r', '-', "<<'PACKAGES'"].join(' '),
    ...packageLines(group, layers.morePlatforms),
    'PACKAGES',
    `rm -f ${shellWord(`${target}/.lock`)}`,
    ...likeInstaller({ ...layers, bytecode: hasBytecode(layers, group) }, target),
    ...finishLines(layers.prefix, owned),
    ...(place === 'final' ? [...unseenEnvironment(layers), ...TO_FINAL_PLACE] : []),
    'IMAGE_CACHE',
    '',
  ].join('\n')
}

/** Scripts must name the Python of the environment, so there is one at the very path while the group is installed. */
function environmentLines({ pythonVersion, interpreter }: StageLayers, folder: string): readonly string[] {
  const bin = `${folder}/bin`
  const link = interpreter.startsWith(`${bin}/`)
    ? [`[ -e ${shellWord(interpreter)} ] || ln -s python ${shellWord(interpreter)}`]
    : []
  return [
    `uv venv --quiet --no-project --python ${shellWord(`/usr/local/bin/python${pythonVersion}`)} ${shellWord(folder)}`,
    ...link,
  ]
}

/** One mode for folders and one time for all; root's home is closed to others in every base image. */
function finishLines(prefix: string, owned: OwnedLayers | undefined): readonly string[] {
  return [
    'find /layer -type d -exec chmod 755 {} +',
    ...(owned === undefined ? [] : [...ownerScript(owned).lines, `chown -hR "$owner" ${shellWord(`/layer${prefix}`)}`]),
    ...(prefix.startsWith('/root/') ? ['chmod 700 /layer/root'] : []),
    `find /layer -exec touch -h -d @${FILE_TIME} {} +`,
  ]
}

function ownerFlags(owned: OwnedLayers | undefined): string {
  return owned === undefined
    ? ''
    : ownerScript(owned)
        .flags.map((flag) => `${flag} `)
        .join('')
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** What the installer writes besides the packages must not come into the layer. */
const UNSEEN: readonly string[] = [
  'export PYTHONDONTWRITEBYTECODE=1 UV_NO_CACHE=1 TMPDIR=/layer.tmp',
  'mkdir /layer /layer.tmp',
]

/** The environment is there for the scripts' sake alone: the image has one of its own. */
function unseenEnvironment({ environment }: StageLayers): readonly string[] {
  if (environment === undefined) return []
  // Folders that were made on the way go, too, where nothing is in them any more.
  return [`rm -rf ${shellWord(environment)}`, 'for folder in $made; do rmdir "$folder" 2>/dev/null || true; done']
}

/**
 * Moves the tree to the root of the image, folder into folder. Renaming costs nothing, however large the files are. The
 * installer image may have files of its own beside them; a folder in the place of a file, or a file in that of a folder,
 * would make the layer delete something and is an error.
 */
const TO_FINAL_PLACE: readonly string[] = [
  'rm -rf /layer.tmp',
  'merge() {',
  '  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do',
  '    if [ ! -e "$entry" ] && [ ! -L "$entry" ]; then continue; fi',
  '    to="$2/$(basename "$entry")"',
  '    if [ ! -e "$to" ] && [ ! -L "$to" ]; then mv "$entry" "$to"',
  '    elif [ -d "$to" ] && [ ! -L "$to" ] && [ -d "$entry" ] && [ ! -L "$entry" ]; then merge "$entry" "$to"',
  '    elif [ -d "$to" ] || [ -d "$entry" ]; then echo "$to is a folder in one place and none in the other" >&2; exit 1',
  '    else mv -f "$entry" "$to"; fi',
  '  done',
  `  touch -d @${FILE_TIME} "$2/."`,
  '}',
  "merge /layer ''",
  'rm -rf /layer',
  `touch -d @${FILE_TIME} /`,
]

function installWords(layers: StageLayers, target: string): readonly string[] {
  const { indexUrl, extraIndexUrls, findLinks, preReleases } = layers.settings
  return [
    'uv pip install --quiet --no-deps --require-hashes --no-cache --only-binary :all:',
    `--python ${shellWord(layers.installerInterpreter ?? layers.interpreter)}`,
    `${layers.layout === 'flat' ? '--target' : '--prefix'} ${shellWord(target)}`,
    ...(indexUrl === undefined ? [] : [`--index-url ${shellWord(indexUrl)}`]),
    ...extraIndexUrls.map((url) => `--extra-index-url ${shellWord(url)}`),
    // uv stops at the first index that knows a name; with pinned hashes any index may hold the file.
    ...(extraIndexUrls.length === 0 ? [] : ['--index-strategy unsafe-best-match']),
    ...findLinks.map((url) => `--find-links ${shellWord(url)}`),
    ...(preReleases ? ['--prerelease allow'] : []),
  ]
}

function packageLines(group: LayerGroup, morePlatforms: readonly string[] = []): readonly string[] {
  const packages = [...group.packages].sort((a, b) => (a.name < b.name ? -1 : 1))
  return packages.flatMap(({ name, version, hashes, onPlatforms }) => {
    if (hashes.length === 0) throw new RangeError(`${name} ${version} has no hash`)
    const sorted = [...new Set(hashes)].sort()
    const isOnAll = onPlatforms === undefined || onPlatforms.size > morePlatforms.length
    const marker = isOnAll ? '' : platformMarker([...onPlatforms.keys()])
    return [
      `${name}==${version}${marker} \\`,
      ...sorted.map((hash, index) => `    --hash=${hash}${index < sorted.length - 1 ? ' \\' : ''}`),
    ]
  })
}

function hasBytecode({ bytecode, compiled }: StageLayers, { packages }: LayerGroup): boolean {
  return bytecode && (compiled === undefined || packages.every(({ name }) => compiled.includes(name)))
}
