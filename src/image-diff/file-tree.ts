import { posix } from 'node:path'

/** What lies at a path of an image. */
export type FileKind = 'file' | 'folder' | 'link' | 'device' | 'pipe'

export interface FileNode {
  readonly kind: FileKind
  /** Permission bits with setuid, setgid and sticky: 0o755. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Digest of a file's bytes, target of a link, numbers of a device; empty for all else. */
  readonly content: string
  /** Bytes of a file; 0 for all else. */
  readonly size: number
  /** Absolute path of the program that runs a console script. */
  readonly program?: string
}

/** One entry of a layer, in the order of its tar (OCI image-spec, layer.md). */
export type LayerEntry =
  | { readonly what: 'node'; readonly path: string; readonly node: FileNode }
  /** Another name of a file that this layer or one below it has. */
  | { readonly what: 'hard-link'; readonly path: string; readonly target: string }
  /** `.wh.name`: the path of a lower layer is gone. */
  | { readonly what: 'whiteout'; readonly path: string }
  /** `.wh..wh..opq`: everything that lower layers have in the folder is gone. */
  | { readonly what: 'opaque'; readonly path: string }

/** An image as the one file system that a container sees: paths without a slash at the start, `/` between parts. */
export type FileTree = ReadonlyMap<string, FileNode>

/** A folder that no layer describes, only the files below it. */
const IMPLIED_FOLDER: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0, content: '', size: 0 }

/**
 * Lays layers on top of each other. Whiteouts hide what lower layers have, never what their own layer brings, wherever
 * they stand in it.
 * @param layers bottom first.
 */
export function mergeLayers(layers: readonly (readonly LayerEntry[])[]): FileTree {
  const tree = new Map<string, FileNode>()
  for (const entries of layers) {
    for (const entry of entries) {
      if (entry.what === 'whiteout') removeTree(tree, entry.path, true)
      if (entry.what === 'opaque') removeTree(tree, entry.path, false)
    }
    for (const entry of entries) {
      if (entry.what === 'node') place(tree, entry.path, entry.node)
      if (entry.what !== 'hard-link') continue
      const target = tree.get(entry.target)
      if (target !== undefined) place(tree, entry.path, target)
    }
  }
  return tree
}

/** More links than a path can lead through (Linux gives up after as many). */
const MOST_LINKS = 40

/** The file that a path leads to when the links at its end are followed; links among its folders are not looked at. */
export function followLinks(tree: FileTree, path: string): string {
  let at = path
  for (let links = 0; links < MOST_LINKS; links++) {
    const node = tree.get(at.slice(1))
    if (node?.kind !== 'link') return at
    at = posix.resolve(posix.dirname(at), node.content)
  }
  return at
}

function place(tree: Map<string, FileNode>, path: string, node: FileNode): void {
  if (path === '') return
  const before = tree.get(path)
  if (before?.kind === 'folder' && node.kind !== 'folder') removeTree(tree, path, true)
  tree.set(path, node)
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
    if (tree.get(folder)?.kind === 'folder') return
    // A link stays a link: what lies behind it lies elsewhere, and layers don't write through it.
    tree.set(folder, IMPLIED_FOLDER)
  }
}

function removeTree(tree: Map<string, FileNode>, path: string, itself: boolean): void {
  const below = path === '' ? '' : `${path}/`
  for (const name of tree.keys()) if (name.startsWith(below)) tree.delete(name)
  if (itself) tree.delete(path)
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '' : path.slice(0, at)
}
