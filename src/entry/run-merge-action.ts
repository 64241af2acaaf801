import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { GithubHost, githubContext } from '../host/github-host.ts'
import { parseMergeInputs } from '../inputs/merge-inputs.ts'
import { mergeImages } from '../registry/merge-images.ts'
import { formatReference, formatRepository } from '../registry/reference.ts'
import { mergeLines, renderMergeSummary } from '../report/merge-report.ts'
import { cancellation } from './cancellation.ts'
import { failureOf, showFailure } from './failure.ts'
import { openRegistry } from './open-registry.ts'

/** Files that say a digest are small; anything larger is something else. */
const LARGEST_FILE = 4096

/** The merge action: one image for several platforms out of the digests that the jobs of a matrix pushed. */
export async function runMergeAction(): Promise<void> {
  const host = new GithubHost()
  try {
    const { env } = process
    const folder = host.input('digests-folder')
    const files = folder === '' ? [] : await textsIn(resolve(githubContext(env).workspace, folder))
    const inputs = parseMergeInputs((name) => host.input(name), files)
    const signal = cancellation()
    const registry = openRegistry({ signal })
    const merged = await mergeImages(registry, inputs, (milliseconds) => wait(milliseconds, undefined, { signal }))
    const report = { ...merged, tags: inputs.tags.map(formatReference), images: inputs.images.length }
    for (const line of mergeLines(report)) host.info(line)
    if (inputs.leftOut.length > 0) {
      host.warning(
        `annotations: ${inputs.leftOut.join(', ')} are of the images, whose builds write them; left out here`,
      )
    }
    await host.ready()
    host.output('digest', merged.digest)
    host.output('image', `${formatRepository(inputs.tags[0])}@${merged.digest}`)
    host.output('platforms', merged.platforms.join(','))
    await host.summary(renderMergeSummary(report))
  } catch (error) {
    await host.ready()
    showFailure(failureOf(error), host)
    process.exitCode = 1
  }
  // Idle connections of the registry client must not hold the process.
  process.exit()
}

/** Digests by which files are named (`touch digests/<hex>`), and what small files hold; artifacts may lie in folders. */
async function textsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch((): readonly string[] => [])
  const texts = names.toSorted().map(async (name): Promise<readonly string[]> => {
    const [, hex] = /(?:^|[\\/])(?:sha256[-:_])?([0-9a-f]{64})$/.exec(name) ?? []
    const path = join(folder, name)
    const { size, isFile } = await stat(path).then((entry) => ({ size: entry.size, isFile: entry.isFile() }))
    if (hex !== undefined) return [`sha256:${hex}`]
    return isFile && size <= LARGEST_FILE ? [await readFile(path, 'utf8')] : []
  })
  return (await Promise.all(texts)).flat()
}
