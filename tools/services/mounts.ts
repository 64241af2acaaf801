import { readFile, realpath, rm } from 'node:fs/promises'
import { runProgram } from './run-program.ts'
import { ServiceError } from './service-error.ts'

/** The mount points below a folder, deepest first. */
export async function mountsBelow(folder: string): Promise<readonly string[]> {
  // The table has real paths, a state folder may be behind a link.
  const real = await realpath(folder).catch(() => folder)
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  return table
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => point === real || point.startsWith(`${real}/`))
    .sort((a, b) => b.length - a.length)
}

/**
 * Deletes a folder that a builder used. What is still mounted in it is unmounted first: deleting through a mount would
 * delete what lies behind it.
 * @throws ServiceError when a mount can't be taken away; then nothing was deleted
 */
export async function removeMountedTree(folder: string): Promise<void> {
  for (const point of await mountsBelow(folder)) await runProgram('umount', ['-l', point]).catch(() => undefined)
  const left = await mountsBelow(folder)
  if (left.length > 0) {
    throw new ServiceError(`${left[0]} is still mounted, so ${folder} was not deleted: unmount it and try again.`)
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
