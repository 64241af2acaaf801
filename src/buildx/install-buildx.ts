import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import type { BuildxCommand } from './builder.ts'

const RELEASES = 'https://github.com/docker/buildx/releases/download'

/** Names of Node's platforms and architectures in the names of buildx's files. */
const SYSTEMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' }
const MACHINES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm-v7',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
}

/** The file of a release for a machine, as docker/buildx names it; undefined where there is none. */
export function buildxFile(version: string, platform: string, arch: string): string | undefined {
  const [system, machine] = [SYSTEMS[platform], MACHINES[arch]]
  if (system === undefined || machine === undefined) return undefined
  return `buildx-${version}.${system}-${machine}${platform === 'win32' ? '.exe' : ''}`
}

/**
 * Brings buildx from its releases into the runner's tool cache, or finds it there. Its bytes are compared with the
 * release's list of checksums before anything of it runs.
 * @param mirror where releases lie, by version; GitHub unless told
 * @throws ImageCacheError E_BUILDER when it can't be had
 */
export async function installBuildx(version: string, mirror = RELEASES): Promise<BuildxCommand> {
  const file = buildxFile(version, process.platform, process.arch)
  if (file === undefined) throw notInstalled(version, `there is none for ${process.platform} on ${process.arch}`)
  // The library is large and seldom needed.
  const tools = await import('@actions/tool-cache')
  const name = process.platform === 'win32' ? 'buildx.exe' : 'buildx'
  const known = tools.find('buildx', version.slice(1))
  if (known !== '') return { command: join(known, name), prefix: [] }
  try {
    const list = await readFile(await tools.downloadTool(`${mirror}/${version}/checksums.txt`), 'utf8')
    const wanted = checksumOf(list, file)
    if (wanted === undefined) throw new Error(`its checksums don't name ${file}`)
    const path = await tools.downloadTool(`${mirror}/${version}/${file}`)
    const found = await sha256(path)
    if (found !== wanted) throw new Error(`${file} has the checksum ${found}, not ${wanted}`)
    await chmod(path, 0o755)
    const folder = await tools.cacheFile(path, name, 'buildx', version.slice(1))
    return { command: join(folder, name), prefix: [] }
  } catch (error) {
    throw notInstalled(version, messageOf(error), error)
  }
}

/** Lines of `sha256sum`: the digits, white space, `*` for binary files, the name. */
export function checksumOf(list: string, file: string): string | undefined {
  for (const line of list.split('\n')) {
    const [, digits, name] = /^([0-9a-f]{64})\s+\*?(\S+)$/.exec(line.trim()) ?? []
    if (name === file) return digits
  }
  return undefined
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

function notInstalled(version: string, why: string, cause?: unknown): ImageCacheError {
  return new ImageCacheError('E_BUILDER', `buildx ${version} could not be installed: ${why}`, {
    hint: 'Install docker with its buildx plugin before this step, or name another release in `buildx-version`.',
    cause,
  })
}
