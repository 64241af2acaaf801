import { hash } from 'node:crypto'

/** Files of a context by path, some folders as one: `src/app.py`, and `data/` for all below `data`. */
export type CompactFiles = ReadonlyMap<string, string>

interface Folder {
  readonly path: string
  /** Names of what lies in it, with the folders among them. */
  readonly children: Map<string, Folder | undefined>
}

const DIGITS = 10

/** What is kept of a file: kind, mode and enough digits of its hash to tell two versions apart. */
export function shortEntry(value: string): string {
  const [mode = '', id = ''] = value.split(' ')
  return `${mode} ${id.slice(0, DIGITS)}`
}

/** What is kept of a folder that is kept as one. @param lines path and value of all that is in it, in order */
export function folderEntry(lines: readonly string[]): string {
  return hash('sha256', lines.join('\0'), 'hex').slice(0, DIGITS)
}

/**
 * As much of a context's files as `most` entries can hold: folders near the root are opened first, and one whose files
 * are too many stays closed.
 * @param entries sorted by path, folders before what is in them
 */
export function compactFiles(entries: ReadonlyMap<string, string>, most: number): CompactFiles {
  const closed = closedFolders(entries, most)
  const compact = new Map<string, string>()
  const lines = new Map<string, string[]>([...closed].map((folder) => [folder, []]))
  for (const [path, value] of entries) {
    const folder = closedAround(path, closed)
    if (folder === undefined) compact.set(path, shortEntry(value))
    else lines.get(folder)?.push(path, value)
  }
  for (const [folder, inside] of lines) compact.set(folder, folderEntry(inside))
  return compact
}

/** The closed folder, with a slash at its end, that a path is or lies in; `/` is all. */
export function closedAround(path: string, closed: ReadonlySet<string>): string | undefined {
  if (closed.has('/')) return '/'
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (closed.has(path.slice(0, at + 1))) return path.slice(0, at + 1)
  }
  return closed.has(`${path}/`) ? `${path}/` : undefined
}

function closedFolders(entries: ReadonlyMap<string, string>, most: number): ReadonlySet<string> {
  const root: Folder = { path: '', children: new Map() }
  for (const path of entries.keys()) insert(root, path)
  const closed = new Set<string>()
  const open: Folder[] = [root]
  let total = 1
  for (const folder of open) {
    if (total + folder.children.size > most) {
      closed.add(`${folder.path}/`)
      continue
    }
    total += folder.children.size
    for (const child of folder.children.values()) if (child !== undefined) open.push(child)
  }
  return closed
}

function insert(root: Folder, path: string): void {
  let folder = root
  const names = path.split('/')
  for (const [index, name] of names.entries()) {
    if (index === names.length - 1) {
      if (!folder.children.has(name)) folder.children.set(name, undefined)
      return
    }
    let next = folder.children.get(name)
    if (next === undefined) {
      next = { path: names.slice(0, index + 1).join('/'), children: new Map() }
      folder.children.set(name, next)
    }
    folder = next
  }
}
