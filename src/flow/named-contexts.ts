import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Digest, isDigest, toDigest } from '../base/digest.ts'
import { isJsonRecord } from '../base/json-value.ts'
import { keyHash } from '../base/key-hash.ts'
import { redact } from '../base/redact.ts'
import { gitCommit } from '../content/git-commit.ts'
import { type ContextTools, hashContext } from '../image/context-hash.ts'
import { type NamedContext, readNamedContext } from '../image/named-context.ts'

/** What named contexts are resolved with. */
export interface ContextResolver {
  readonly tools: ContextTools
  /** The digest behind an image's name. @throws Error when it can't be had */
  readonly imageDigest: (name: string) => Promise<Digest>
  /** Contexts whose content is known otherwise. */
  readonly known?: ReadonlyMap<string, Digest> | undefined
}

/** Milliseconds that a server may take to tell the version of a file. */
const PATIENCE = 10_000

/**
 * One digest for each named context: of a folder's content, an image, a git commit, a remote file's version.
 * @throws Error when one of them can't be told
 */
export async function resolveNamedContexts(
  contexts: ReadonlyMap<string, string>,
  resolver: ContextResolver,
): Promise<ReadonlyMap<string, Digest>> {
  const digests = [...contexts].map(async ([name, value]): Promise<[string, Digest]> => {
    return [name, resolver.known?.get(name) ?? (await resolveContext(name, readNamedContext(value), resolver))]
  })
  return new Map(await Promise.all(digests))
}

async function resolveContext(name: string, context: NamedContext, resolver: ContextResolver): Promise<Digest> {
  const { tools } = resolver
  switch (context.kind) {
    case 'folder': {
      const ignored = await readFile(join(context.path, '.dockerignore'), 'utf8').catch(() => '')
      return (await hashContext(resolve(context.path), ignored, tools)).digest
    }
    case 'image':
      return await resolver.imageDigest(context.name)
    case 'git': {
      if (tools.exec === undefined) throw new Error(`the named context ${name} needs git`)
      const commit = await gitCommit(tools.exec, context.url, context.ref, tools.signal)
      return keyHash(['git', commit, context.folder])
    }
    case 'remote':
      return keyHash(['remote', context.url, await remoteVersion(name, context.url, tools.signal)])
    case 'layout':
      return await layoutDigest(name, context)
    case 'unknown':
      throw new Error(`the named context ${name} begins with ${context.scheme}:, whose content can't be told`)
  }
}

/** A strong entity tag says that the bytes are the same (RFC 9110, section 8.8.3); anything less isn't believed. */
async function remoteVersion(name: string, url: string, signal: AbortSignal | undefined): Promise<string> {
  const limit = AbortSignal.timeout(PATIENCE)
  const answer = await fetch(url, { method: 'HEAD', signal: signal ? AbortSignal.any([signal, limit]) : limit })
  if (!answer.ok) throw new Error(redact(`the named context ${name}: ${url} answers ${answer.status}`))
  const tag = answer.headers.get('etag')
  if (tag?.startsWith('"') === true) return tag
  throw new Error(redact(`the named context ${name}: ${url} has no strong ETag, so nobody can tell whether it changed`))
}

async function layoutDigest(name: string, { path, tag, digest }: Extract<NamedContext, { kind: 'layout' }>) {
  if (digest !== undefined) return toDigest(digest)
  const index: unknown = JSON.parse(await readFile(join(path, 'index.json'), 'utf8'))
  const manifests = isJsonRecord(index) && Array.isArray(index.manifests) ? index.manifests.filter(isJsonRecord) : []
  const [only] = manifests
  const named = manifests.find(({ annotations }) => isJsonRecord(annotations) && annotations[REF_NAME] === tag)
  const found = named ?? (manifests.length === 1 ? only : undefined)
  if (typeof found?.digest === 'string' && isDigest(found.digest)) return found.digest
  throw new Error(`the named context ${name}: ${path} holds no image ${tag}`)
}

/** The name of an image in a layout's index (OCI image-spec, annotations.md). */
const REF_NAME = 'org.opencontainers.image.ref.name'
