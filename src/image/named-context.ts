/** Where the files of a named context come from. */
export type NamedContext =
  | { readonly kind: 'folder'; readonly path: string }
  /** Reference as written after `docker-image://`. */
  | { readonly kind: 'image'; readonly name: string }
  | { readonly kind: 'git'; readonly url: string; readonly ref: string | undefined; readonly folder: string }
  /** A file or archive behind a URL. */
  | { readonly kind: 'remote'; readonly url: string }
  | { readonly kind: 'layout'; readonly path: string; readonly tag: string; readonly digest: string | undefined }
  | { readonly kind: 'unknown'; readonly scheme: string }

const IMAGE = 'docker-image://'
const LAYOUT = 'oci-layout://'
/** A URL that BuildKit clones rather than downloads (Dockerfile reference, "ADD", "Git contexts"). */
const GIT_URL = /^(?:git|ssh):\/\/|^[\w.-]+@[\w.-]+:|^https?:\/\/[^#?]*\.git(?:[#?].*)?$/
/** Query parameters that name a ref, the strongest first (Dockerfile reference, "URL queries"). */
const REFS = ['checksum', 'commit', 'tag', 'branch', 'ref']

/** Reads the value of a named context as buildx does; what has no scheme is a folder. */
export function readNamedContext(value: string): NamedContext {
  if (value.startsWith(IMAGE)) return { kind: 'image', name: value.slice(IMAGE.length) }
  if (value.startsWith(LAYOUT)) return readLayout(value.slice(LAYOUT.length))
  const full = value.startsWith('github.com/')
    ? `https://${value.replace(/^([^#?]*?)(\.git)?(?=[#?]|$)/, '$1.git')}`
    : value
  if (GIT_URL.test(full)) return readGit(full)
  if (/^https?:\/\//.test(value)) return { kind: 'remote', url: value }
  const [, scheme] = /^([a-z][a-z0-9+-]+):(?!\\)/.exec(value) ?? []
  return scheme === undefined ? { kind: 'folder', path: value } : { kind: 'unknown', scheme }
}

function readGit(text: string): NamedContext {
  const [address = '', fragment = ''] = split(text, '#')
  const [url = '', query = ''] = split(address, '?')
  const [ref = '', folder = ''] = split(fragment, ':')
  const asked = new URLSearchParams(query)
  const named = REFS.map((name) => refOf(name, asked.get(name))).find((value) => value !== undefined)
  return {
    kind: 'git',
    url,
    ref: named ?? (ref === '' ? undefined : ref),
    folder: (asked.get('subdir') ?? folder).replace(/^\/+|\/+$/g, ''),
  }
}

function refOf(name: string, value: string | null): string | undefined {
  if (value === null || value === '') return undefined
  if (name === 'tag') return `refs/tags/${value}`
  return name === 'branch' ? `refs/heads/${value}` : value
}

function readLayout(text: string): NamedContext {
  const [name = '', digest] = split(text, '@')
  const [, path = name, tag = 'latest'] = /^(.*):([\w.-]+)$/.exec(name) ?? []
  return { kind: 'layout', path, tag, digest }
}

function split(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
