import { isJsonRecord, parseJson } from '../base/json-value.ts'

/** What of a file of an image is looked at. */
export interface BaseFile {
  readonly kind: 'file' | 'folder' | 'link' | 'device' | 'pipe'
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** What the files of a base image tell that its configuration doesn't. */
export interface BaseFiles {
  /** Everything in the folders of `LOOKED_INTO` and above them, by absolute path; what isn't named isn't there. */
  readonly places: ReadonlyMap<string, 'plain' | 'other'>
  /** The Python below /usr/local. */
  readonly python: FilesPython
}

/** The Python that pip and uv of the image would install into, or why that isn't sure. */
export type FilesPython =
  | {
      readonly kind: 'found'
      /** `3.12` */
      readonly version: string
      /** Packages with their versions, by normalised name. */
      readonly packages: ReadonlyMap<string, string>
    }
  | { readonly kind: 'unknown'; readonly reason: string }

/** Folders that base images bring along, and that people put their own into. */
const LOOKED_INTO = '/usr/src'
/** A base image with more there is no place for an app. */
const MOST_PLACES = 500
/** They choose another index or another place for packages. */
const SETTINGS_FILES = [
  ...['etc/pip.conf', 'root/.config/pip/pip.conf', 'root/.pip/pip.conf', 'usr/local/pip.conf', 'etc/xdg/pip/pip.conf'],
  ...['etc/uv/uv.toml', 'root/.config/uv/uv.toml', 'root/.netrc'],
]

/** Names by which its Python is called: with one missing, that of another Python may be found. */
const PROGRAMS = ['python', 'python3', 'pip', 'pip3']

/** Sums up an image's file system. @param tree paths without a slash at the start */
export function readBaseFiles(tree: ReadonlyMap<string, BaseFile>): BaseFiles {
  const below = [...tree.keys()].filter((path) => `/${path}`.startsWith(`${LOOKED_INTO}/`))
  const above = ['usr', 'usr/src'].filter((path) => tree.has(path))
  const all = [...above, ...below].map((path) => [`/${path}`, isPlain(tree.get(path)) ? 'plain' : 'other'] as const)
  const places = below.length > MOST_PLACES ? [[LOOKED_INTO, 'other'] as const] : all
  return { places: new Map(places), python: readPython(tree) }
}

/** A folder as every new one is: layers bring such folders along, so it stays what it is. */
function isPlain(file: BaseFile | undefined): boolean {
  return file?.kind === 'folder' && file.mode === 0o755 && file.uid === 0 && file.gid === 0
}

function readPython(tree: ReadonlyMap<string, BaseFile>): FilesPython {
  const unknown = (reason: string): FilesPython => ({ kind: 'unknown', reason })
  const versions = [...tree.keys()].flatMap((path) => /^usr\/local\/bin\/python(3\.\d+)$/.exec(path)?.[1] ?? [])
  const [version, ...more] = versions
  if (version === undefined) return unknown('it has no Python in /usr/local/bin')
  if (more.length > 0) return unknown(`it has several Pythons in /usr/local/bin: ${versions.join(', ')}`)
  const missing = PROGRAMS.find((name) => !tree.has(`usr/local/bin/${name}`))
  if (missing !== undefined) return unknown(`it has no /usr/local/bin/${missing}`)
  const earlier = [...tree.keys()].find((path) => /^usr\/local\/sbin\/(?:python|pip|uv)/.test(path))
  if (earlier !== undefined) return unknown(`it has /${earlier}`)
  const lib = `usr/local/lib/python${version}`
  if (!tree.has(`${lib}/os.py`)) return unknown(`${lib} is not the library of its Python ${version}`)
  const folders = ['usr', 'usr/local', 'usr/local/bin', 'usr/local/lib', lib, `${lib}/site-packages`]
  const odd = folders.find((folder) => !isPlain(tree.get(folder)))
  if (odd !== undefined) return unknown(`/${odd} is no folder with the usual owner and mode`)
  const settings = [...SETTINGS_FILES, `${lib}/EXTERNALLY-MANAGED`].find((path) => tree.has(path))
  if (settings !== undefined) return unknown(`it has /${settings}`)
  if ([...tree.keys()].some((path) => /^(?:usr\/)?lib\/ld-musl-/.test(path))) return unknown('its C library is musl')
  return readPackages(tree, `${lib}/site-packages/`, version)
}

function readPackages(tree: ReadonlyMap<string, BaseFile>, site: string, version: string): FilesPython {
  const packages = new Map<string, string>()
  for (const path of tree.keys()) {
    if (!path.startsWith(site)) continue
    const name = path.slice(site.length)
    if (name.includes('/')) continue
    const [, project, release] = /^(.+)-([^-]+)\.dist-info$/.exec(name) ?? []
    if (project !== undefined && release !== undefined) {
      packages.set(project.toLowerCase().replace(/[-_.]+/g, '-'), release)
    } else if (/\.(?:egg-info|egg-link|egg)$|^__editable__|^sitecustomize\.py$|^usercustomize\.py$/.test(name)) {
      return { kind: 'unknown', reason: `it has /${path}` }
    } else if (name.endsWith('.pth') && name !== 'distutils-precedence.pth') {
      return { kind: 'unknown', reason: `it has /${path}` }
    }
  }
  return packages.has('pip')
    ? { kind: 'found', version, packages }
    : { kind: 'unknown', reason: 'its pip is elsewhere' }
}

/** One text that `decodeBaseFiles` reads. */
export function encodeBaseFiles({ places, python }: BaseFiles): string {
  const found = python.kind === 'found' ? { ...python, packages: Object.fromEntries(python.packages) } : python
  return JSON.stringify({ places: Object.fromEntries(places), python: found })
}

/** @returns undefined for a text that is none of `encodeBaseFiles` */
export function decodeBaseFiles(text: string): BaseFiles | undefined {
  const json = parseJson(text)
  if (!isJsonRecord(json) || !isJsonRecord(json.places) || !isJsonRecord(json.python)) return undefined
  const places = Object.entries(json.places).map(
    ([path, what]) => [path, what === 'plain' ? 'plain' : 'other'] as const,
  )
  const { kind, version, packages, reason } = json.python
  if (kind === 'unknown' && typeof reason === 'string') return { places: new Map(places), python: { kind, reason } }
  if (kind !== 'found' || typeof version !== 'string' || !isJsonRecord(packages)) return undefined
  const named = Object.entries(packages).flatMap(([name, release]) =>
    typeof release === 'string' ? [[name, release] as const] : [],
  )
  return { places: new Map(places), python: { kind, version, packages: new Map(named) } }
}
