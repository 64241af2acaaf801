import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { OutputEntry } from './output-manifest.ts'

/**
 * Makes all folders and links of a result before its files; links last, so that no file can be written through one.
 * @throws Error of the file system
 */
export function makeFolders(outputs: readonly OutputEntry[], placeOf: (path: string) => string): void {
  const parents = new Set(outputs.map(({ path }) => dirname(placeOf(path))))
  for (const parent of parents) mkdirSync(parent, { recursive: true })
  for (const output of outputs) {
    const place = placeOf(output.path)
    if (output.kind === 'folder') {
      mkdirSync(place)
      chmodSync(place, output.mode)
    } else if (output.kind === 'link') symlinkSync(output.target, place)
  }
}
