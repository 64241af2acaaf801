import { createHash, type Hash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createZstdDecompress, zstdCompressSync } from 'node:zlib'
import { type DebianRootfs, debianRootfs, suite } from './debian-rootfs.ts'
import { type MachineSettings, machineSettings } from './machine-settings.ts'
import { type LayerBlob, pushImage } from './push-image.ts'
import { tarEntry, tarTrailer } from './tar-entry.ts'

/** References in the local registry, each `127.0.0.1:PORT/repository:tag`, and their digests. */
export interface BaseImages {
  readonly python: string
  readonly pythonPatched: string
  readonly installer: string
  readonly digests: { readonly python: string; readonly pythonPatched: string; readonly installer: string }
  /** Exact version of the Python in all of them. */
  readonly pythonVersion: string
}

export interface PatchOptions {
  /** The tag that is moved to the patched image; default `3.11-slim-patched-<n>`. */
  readonly tag?: string
}

const pythonRepository = 'base/python'
const installerRepository = 'base/uv'

/**
 * Puts the base images into a registry, making them first when this machine never did:
 * `base/python:3.11-slim` (Debian with Python in /usr/local, one layer), `base/python:3.11-slim-patched` (the same with
 * another layer digest) and `base/uv:python3.11` (the same and uv). They carry this machine's certificates and pip settings.
 * @param registry `127.0.0.1:PORT`
 */
export async function baseImages(registry: string, log: (line: string) => void = () => undefined): Promise<BaseImages> {
  const source = await openSource(log)
  const [python, pythonPatched] = await Promise.all([
    source.push(registry, 0, ['3.11-slim']),
    source.push(registry, 1, ['3.11-slim-patched']),
  ])
  // Its bottom layer is taken over from the repository that has it now.
  const installer = await source.pushInstaller(registry, ['python3.11'])
  return {
    python: `${registry}/${pythonRepository}:3.11-slim`,
    pythonPatched: `${registry}/${pythonRepository}:3.11-slim-patched`,
    installer: `${registry}/${installerRepository}:python3.11`,
    digests: { python, pythonPatched, installer },
    pythonVersion: source.pythonVersion,
  }
}

/**
 * Pushes a patched base image: one small file more in its only layer, so that the layer has another digest. Takes milliseconds
 * after the first time.
 * @param n which patch; the same number gives the same image, 0 gives the one without a patch
 * @returns the reference with the digest, `127.0.0.1:PORT/base/python:tag@sha256:...`
 */
export async function patchBase(registry: string, n: number, options: PatchOptions = {}): Promise<string> {
  const source = await openSource(() => undefined)
  const tag = options.tag ?? `3.11-slim-patched-${n}`
  const digest = await source.push(registry, n, [tag])
  return `${registry}/${pythonRepository}:${tag}@${digest}`
}

interface Source {
  readonly pythonVersion: string
  push(registry: string, patch: number, tags: readonly string[]): Promise<string>
  pushInstaller(registry: string, tags: readonly string[]): Promise<string>
}

const sources = new Map<string, Promise<Source>>()

async function openSource(log: (line: string) => void): Promise<Source> {
  const rootfs = await debianRootfs(log)
  const known = sources.get(rootfs.system)
  if (known !== undefined) return await known
  const opened = makeSource(rootfs, machineSettings())
  sources.set(rootfs.system, opened)
  return await opened
}

async function makeSource(rootfs: DebianRootfs, settings: MachineSettings): Promise<Source> {
  const [system, uv] = await Promise.all([hashPiece(rootfs.system), hashPiece(rootfs.uv)])
  const env = {
    PATH: '/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    PYTHON_VERSION: rootfs.pythonVersion,
    ...rootfs.pythonEnv,
    ...settings.env,
  }
  const cmd = ['python3']
  // As the history of Docker's Debian images tells of their release.
  const madeBy = `# debian.sh --arch '${process.arch === 'x64' ? 'amd64' : process.arch}' out/ '${suite}' '@0'`
  const bottomLayer = (patch: number) => {
    const marker = { path: 'etc/base-image-patch', content: Buffer.from(`${patch}\n`) }
    const files = patch === 0 ? settings.files : [...settings.files, marker]
    return endLayer(rootfs.system, system, Buffer.concat([...files.map(tarEntry), tarTrailer]))
  }
  return {
    pythonVersion: rootfs.pythonVersion,
    push: (registry, patch, tags) =>
      pushImage(registry, { repository: pythonRepository, tags, env, cmd, madeBy, layers: [bottomLayer(patch)] }),
    pushInstaller: async (registry, tags) => {
      const layers = [bottomLayer(0), endLayer(rootfs.uv, uv, undefined)]
      return await pushImage(registry, {
        repository: installerRepository,
        mountFrom: pythonRepository,
        tags,
        env,
        cmd,
        madeBy,
        layers,
      })
    },
  }
}

/** Hashes of a compressed piece, open for more. */
interface PieceHash {
  readonly compressed: Hash
  readonly plain: Hash
  readonly size: number
}

async function hashPiece(file: string): Promise<PieceHash> {
  const content = await readFile(file)
  const plain = createHash('sha256')
  for await (const chunk of createReadStream(file).pipe(createZstdDecompress())) plain.update(chunk)
  return { compressed: createHash('sha256').update(content), plain, size: content.length }
}

/** A layer of a piece and, behind it, a frame of its own: zstd streams may be joined end to end. */
function endLayer(file: string, piece: PieceHash, end: Buffer | undefined): LayerBlob {
  const frame = end === undefined ? Buffer.alloc(0) : zstdCompressSync(end)
  return {
    digest: `sha256:${piece.compressed.copy().update(frame).digest('hex')}`,
    diffId: `sha256:${piece.plain
      .copy()
      .update(end ?? Buffer.alloc(0))
      .digest('hex')}`,
    size: piece.size + frame.length,
    read: () => Promise.resolve([readFileSync(file), frame]),
  }
}
