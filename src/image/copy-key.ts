import type { Digest } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import { isLink } from './context-hash.ts'

/** A COPY whose layer needs nothing of the image below it. */
export interface CopyQuestion {
  /** The step as it is built. */
  readonly text: string
  /** Paths or patterns within the build context, relative; of another source they say nothing here. */
  readonly sources: readonly string[]
  /** The content key of all that another source (`--from`) may be made of; undefined for the build context. */
  readonly from: Digest | undefined
}

/**
 * The content key of a COPY's layer. Where it isn't plain which files a source names, more of the context than needed goes
 * into the key: then the layer is made anew once too often, never too rarely.
 * @param context as `hashContext` answers it: all that counts of each file, link and folder, by path
 */
export function copyKey(
  { text, sources, from }: CopyQuestion,
  context: ReadonlyMap<string, string>,
  form: { readonly compression: string; readonly salt: string },
): Digest {
  const { compression, salt } = form
  const files: KeyValue = from ?? Object.fromEntries(copiedEntries(sources, context))
  return keyHash({ kind: 'copy', text, files, compression, salt })
}

/** Entries that the sources name, and perhaps more: everything below the last folder that is written without a pattern. */
export function copiedEntries(
  sources: readonly string[],
  context: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const roots = sources.map((source) => plainPart(source))
  // Behind a link lies any other place of the context.
  const links = [...context].filter(([, text]) => isLink(text)).map(([path]) => path)
  const isPlain = !roots.some((root) => links.some((link) => isWithin(root, link)))
  return isPlain ? new Map([...context].filter(([path]) => roots.some((root) => isWithin(path, root)))) : context
}

function plainPart(source: string): string {
  const parts = source.split('/').filter((part) => part !== '' && part !== '.')
  const pattern = parts.findIndex((part) => /[*?[\\]/.test(part))
  return (pattern < 0 ? parts : parts.slice(0, pattern)).join('/')
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}
