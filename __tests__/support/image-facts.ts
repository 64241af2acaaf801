import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import type { LineRig } from './line-rig.ts'
import { readConfig } from './oci-image.ts'

/** What an image says of itself and what a container of it sees; when it was made is left out. */
export interface ImageFacts {
  readonly config: unknown
  readonly annotations: unknown
  /** A line for each file: path, kind, mode, owner, target of a link, digest of the content. */
  readonly files: readonly string[]
}

/**
 * Reads an image as its users do: the manifest and the configuration by plain requests, the files by letting the
 * builder write them out.
 * @param name repository and tag in the rig's registry
 * @param platform such as `linux/amd64`
 */
export async function imageFacts(rig: LineRig, name: string, platform: string): Promise<ImageFacts> {
  const at = name.lastIndexOf(':')
  const said = await readConfig(`${rig.registry}/${name.slice(0, at)}`, name.slice(at + 1), platform)
  const folder = await mkdtemp(join(tmpdir(), 'image-facts-'))
  try {
    await writeFile(join(folder, 'Dockerfile'), `FROM ${rig.registry}/${name}\n`)
    const output = `type=tar,dest=${join(folder, 'files.tar')}`
    const run = await rig.buildx('build', '--platform', platform, '--provenance=false', '--output', output, folder)
    if (run.exitCode !== 0) throw new Error(run.stderr)
    return { ...said, files: await filesOf(join(folder, 'files.tar')) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function filesOf(archive: string): Promise<readonly string[]> {
  const files: string[] = []
  const entries = createReadStream(archive).pipe(extract())
  for await (const entry of entries) {
    const { name, type, mode = 0, uid, gid, linkname } = entry.header
    const hash = createHash('sha256')
    await pipeline(entry, hash)
    files.push([name, type, mode.toString(8), `${uid}:${gid}`, linkname ?? '', hash.digest('hex')].join(' '))
  }
  return files.sort()
}
