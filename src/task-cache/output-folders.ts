import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { OutputEntry } from './output-manifest.ts'

/**
 * Makes all folders and links of a result before its files; links last, so that no file can be written through one.
 * @throws Error of the file system
 */
export function makeFolders(outputs: readonly OutputEntry[], folder: string): void {
  const parents = new Set(outputs.map(({ path }) => dirname(path)))
  parents.delete('.')
  for (const parent of parents) mkdirSync(join(folder, parent), { recursive: true })
  for (const output of outputs) {
    const place = join(folder, output.path)
    if (output.kind === 'folder') {
      mkdirSync(place)
      chmodSync(place, output.mode)
    } else if (output.kind === 'link') symlinkSync(output.target, place)
  }
}
