import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Builds upon an image and answers what a shell command printed in it. It comes back as a file: a progress log is for
 * people, and a line of it may be split or lost.
 * @param build runs `buildx build` with these arguments, and throws when it fails
 */
export async function printedInside(
  reference: string,
  command: string,
  build: (...args: readonly string[]) => Promise<unknown>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inside-'))
  try {
    const file = '/var/tmp/printed'
    const run = JSON.stringify(['sh', '-c', `(${command}\n) > ${file} 2>&1 || { cat ${file}; exit 1; }`])
    const lines = [
      `FROM ${reference} AS inside`,
      `RUN ${run}`,
      'FROM scratch',
      `COPY --from=inside ${file} /printed`,
      '',
    ]
    await mkdir(join(folder, 'context'))
    await writeFile(join(folder, 'context/Dockerfile'), lines.join('\n'))
    const output = `--output=type=local,dest=${join(folder, 'out')}`
    await build('--progress=plain', '--no-cache', '--provenance=false', output, join(folder, 'context'))
    return await readFile(join(folder, 'out/printed'), 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
