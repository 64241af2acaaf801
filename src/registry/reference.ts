import { type Digest, isDigest } from '../base/digest.ts'

/** A repository on a registry: `registry` is a host with an optional port, `path` has no tag. Docker Hub is `docker.io`. */
export interface RepositoryName {
  readonly registry: string
  readonly path: string
}

/** What names an image. At least one of tag and digest is set; the digest decides when both are. */
export interface ImageReference extends RepositoryName {
  readonly tag?: string
  readonly digest?: Digest
}

const HUB = 'docker.io'
const HUB_ALIAS = 'index.docker.io'
const OFFICIAL = 'library/'

const HOST_PART = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const REGISTRY = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`)
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const LONGEST_TEXT = 1024
const LONGEST_PATH = 255

/**
 * Reads an image reference by the distribution grammar (distribution/reference, `reference.go` and `normalize.go`):
 * `python` is `docker.io/library/python:latest`, and the first part is a registry only when it looks like a host.
 * @param text `[registry/]repository[:tag][@digest]`
 * @returns the reference, or a sentence that says what is wrong with the text.
 */
export function parseReference(text: string): ImageReference | string {
  if (text === '') return 'an image reference is empty'
  const wrong = (why: string) => `${JSON.stringify(shorten(text))} is no image reference: ${why}`
  if (text.length > LONGEST_TEXT) return wrong(`it is longer than ${LONGEST_TEXT} characters`)

  const [named = '', digest] = splitAt(text, text.indexOf('@'))
  if (digest !== undefined && !isDigest(digest)) return wrong('its digest is not sha256: and 64 lower-case hex digits')

  const [name = '', tag] = splitAt(named, named.lastIndexOf(':') > named.lastIndexOf('/') ? named.lastIndexOf(':') : -1)
  if (tag !== undefined && !isTag(tag)) return wrong('its tag is not 1 to 128 letters, digits, "_", "." or "-"')

  const repository = splitRegistry(name)
  const mistake = repositoryMistake(repository)
  if (mistake !== undefined) return wrong(mistake)
  if (digest !== undefined) return { ...repository, ...(tag === undefined ? {} : { tag }), digest }
  return { ...repository, tag: tag ?? 'latest' }
}

/** Whether the text can stand after the colon of a reference. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** The reference in full, registry and all: `docker.io/library/python:3.12`. `parseReference` reads it back. */
export function formatReference(reference: ImageReference): string {
  return `${formatRepository(reference)}${suffix(reference)}`
}

/** The repository in full, without tag or digest: `docker.io/library/python`. */
export function formatRepository(repository: RepositoryName): string {
  return `${repository.registry}/${repository.path}`
}

/** The reference as people write it, for messages: `python:3.12`. `parseReference` reads it back, too. */
export function familiarReference(reference: ImageReference): string {
  if (reference.registry !== HUB) return formatReference(reference)
  const isOfficial = reference.path.startsWith(OFFICIAL) && !reference.path.slice(OFFICIAL.length).includes('/')
  const short = isOfficial ? reference.path.slice(OFFICIAL.length) : reference.path
  // `docker.io/a.b/c` must not become `a.b/c`, which names a registry `a.b`.
  const read = splitRegistry(short)
  const same = read.registry === HUB && read.path === reference.path
  return same ? `${short}${suffix(reference)}` : formatReference(reference)
}

/** Another tag in the same repository; a digest is left behind. @throws RangeError when it is no tag. */
export function withTag(repository: RepositoryName, tag: string): ImageReference {
  if (!isTag(tag)) throw new RangeError(`not a tag: ${JSON.stringify(tag)}`)
  return { registry: repository.registry, path: repository.path, tag }
}

/** The same name pinned to a digest; its tag stays for the reader, the digest decides. */
export function withDigest(reference: RepositoryName & { readonly tag?: string }, digest: Digest): ImageReference {
  const { registry, path, tag } = reference
  return { registry, path, ...(tag === undefined ? {} : { tag }), digest }
}

/** Whether two references live in the same repository. */
export function sameRepository(a: RepositoryName, b: RepositoryName): boolean {
  return a.registry === b.registry && a.path === b.path
}

function splitRegistry(name: string): RepositoryName {
  const slash = name.indexOf('/')
  const first = slash === -1 ? '' : name.slice(0, slash)
  // Docker takes `Org/app` for a host `Org`; here it is the mistake that it nearly always is: upper case.
  const isHost = /[.:]/.test(first) || first === 'localhost'
  if (isHost && first !== HUB && first !== HUB_ALIAS) return { registry: first, path: name.slice(slash + 1) }
  const path = isHost ? name.slice(slash + 1) : name
  return { registry: HUB, path: path.includes('/') ? path : `${OFFICIAL}${path}` }
}

function repositoryMistake({ registry, path }: RepositoryName): string | undefined {
  // The grammar takes what no address can be, such as the port 99999.
  if (!REGISTRY.test(registry) || !URL.canParse(`https://${registry}/`))
    return `${JSON.stringify(registry)} is no registry host`
  if (path === '' || path === OFFICIAL) return 'the repository is missing'
  if (path.length > LONGEST_PATH) return `its repository is longer than ${LONGEST_PATH} characters`
  const part = path.split('/').find((component) => !PATH_COMPONENT.test(component))
  if (part === undefined) {
    const looksLikeId = registry === HUB && /^library\/[0-9a-f]{64}$/.test(path)
    return looksLikeId ? 'a name of 64 hex digits would be taken for an image ID' : undefined
  }
  if (part === '') return 'a part between slashes is empty'
  if (part !== part.toLowerCase()) return `${JSON.stringify(part)} must be lower case`
  return `${JSON.stringify(part)} may hold only letters, digits and single separators between them`
}

function suffix({ tag, digest }: ImageReference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

function splitAt(text: string, index: number): readonly string[] {
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)]
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
