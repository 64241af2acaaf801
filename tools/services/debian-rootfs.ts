import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib'
import { withFileLock } from './file-lock.ts'
import { ensureDebianProgram } from './find-program.ts'
import { cacheHome } from './locations.ts'
import { machineSettings } from './machine-settings.ts'
import { removeMountedTree } from './mounts.ts'
import { runProgram } from './run-program.ts'
import { ServiceError } from './service-error.ts'
import { tarEntry, tarTrailer } from './tar-entry.ts'

/** The one place that says which uv the installer image has. */
export const uvVersion = '0.13.8'
export const suite = 'bookworm'
const recipeFolder = join(import.meta.dirname, 'base-image')
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 6 } }

/** A small Debian with Python in /usr/local, and uv, as compressed pieces of layers. */
export interface DebianRootfs {
  /** A tar without its two last blocks, zstd: more frames may follow. */
  readonly system: string
  /** A whole tar with /usr/local/bin/uv and uvx, zstd. */
  readonly uv: string
  /** Like `3.11.2`. */
  readonly pythonVersion: string
  /** Versions of pip and setuptools, under the names that Docker's images give them. */
  readonly pythonEnv: Readonly<Record<string, string>>
  /** Stands for the recipe that made it. */
  readonly key: string
}

/**
 * The root file system that the base images are made of: from the cache, or (about a minute, once) from Debian packages
 * by mmdebstrap with this machine's own sources.
 */
export async function debianRootfs(log: (line: string) => void): Promise<DebianRootfs> {
  const recipe = ['customize.sh', 'sitecustomize.py'].map((name) => readFileSync(join(recipeFolder, name)))
  const key = createHash('sha256')
    .update(`2 ${suite} ${uvVersion} ${process.arch} `)
    .update(Buffer.concat(recipe))
    .digest('hex')
  const folder = join(cacheHome(), 'base-images', key.slice(0, 16))
  const onWait = () => log('Waiting for another run that makes the base image')
  if (!existsSync(folder)) {
    await withFileLock(join(cacheHome(), 'locks', 'base-image.lock'), () => makeRootfs(folder, log), onWait)
  }
  const pythonVersion = (await readFile(join(folder, 'python-version'), 'utf8')).trim()
  const pairs = (await readFile(join(folder, 'python-env'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split('='))
  const pythonEnv = Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]))
  return { system: join(folder, 'system.tar.zst'), uv: join(folder, 'uv.tar.zst'), pythonVersion, pythonEnv, key }
}

async function makeRootfs(folder: string, log: (line: string) => void): Promise<void> {
  if (existsSync(folder)) return
  const mmdebstrap = await ensureDebianProgram('mmdebstrap', 'makes the base image from Debian packages', log)
  const { certificates, env: settings } = machineSettings()
  if (certificates === undefined) {
    throw new ServiceError(
      'This machine has no certificates: install the package ca-certificates (apt-get install ca-certificates).',
    )
  }
  log('Making the base image from Debian packages, once (about a minute)')
  await mkdir(join(cacheHome(), 'base-images'), { recursive: true })
  for (const name of await readdir(join(cacheHome(), 'base-images'))) {
    // Left by a run that was cut off; this one holds the lock.
    if (name.startsWith('work-')) await removeMountedTree(join(cacheHome(), 'base-images', name))
  }
  const work = await mkdtemp(join(cacheHome(), 'base-images', 'work-'))
  const root = join(work, 'root')
  const result = join(work, 'result')
  try {
    await mkdir(result)
    await chmod(work, 0o755)
    const index: Record<string, string> =
      settings.UV_DEFAULT_INDEX === undefined ? {} : { PIP_INDEX_URL: settings.UV_DEFAULT_INDEX }
    const env = { ...index, UV_VERSION: uvVersion, CA_BUNDLE: certificates }
    await runProgram(mmdebstrap, mmdebstrapArgs(root), { env })
    await packSystem(root, join(result, 'system.tar.zst'))
    const uvFiles = ['uv', 'uvx'].map((name) =>
      tarEntry({
        path: `usr/local/bin/${name}`,
        mode: 0o755,
        content: readFileSync(join(root, 'out', 'uv', 'bin', name)),
      }),
    )
    await writeFile(join(result, 'uv.tar.zst'), zstdCompressSync(Buffer.concat([...uvFiles, tarTrailer]), compression))
    for (const name of ['python-version', 'python-env']) {
      await writeFile(join(result, name), await readFile(join(root, 'out', name)))
    }
    await rename(result, folder)
  } finally {
    await removeMountedTree(root)
    await rm(work, { recursive: true, force: true })
  }
}

function mmdebstrapArgs(root: string): readonly string[] {
  const without = ['doc', 'man', 'locale', 'info'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
  return [
    '--mode=root',
    '--variant=minbase',
    '--include=python3,python3-venv,ca-certificates',
    ...without,
    ...proxyOptions(),
    `--customize-hook=sh '${join(recipeFolder, 'customize.sh')}' "$1"`,
    suite,
    root,
    ...machineSources(),
  ]
}

/** This machine's own package sources where they are of the same suite; else mmdebstrap takes its own. */
function machineSources(): readonly string[] {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  if (!/^ID=debian$/m.test(release) || !release.includes(`VERSION_CODENAME=${suite}`)) return []
  const folder = '/etc/apt/sources.list.d'
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
  return [...files, '/etc/apt/sources.list'].filter((file) => {
    if (!/\.(list|sources)$/.test(file) || !existsSync(file)) return false
    // Not a third party's repository: a base image is made of Debian alone.
    const text = readFileSync(file, 'utf8').replaceAll(/^\s*#.*$/gm, '')
    return new RegExp(`^(deb|Suites:).*\\s${suite}(\\s|$)`, 'm').test(text) && /\smain(\s|$)/.test(text)
  })
}

function proxyOptions(): readonly string[] {
  const proxy = process.env.http_proxy || process.env.HTTP_PROXY
  return proxy === undefined || proxy === '' ? [] : [`--aptopt=Acquire::http::Proxy "${proxy}"`]
}

async function packSystem(root: string, target: string): Promise<void> {
  // What a container gets anew at each start has no place in the image.
  const excluded = ['out', 'dev/*', 'proc/*', 'sys/*', 'run/*', 'tmp/*', 'etc/resolv.conf', 'etc/hostname']
  const args = ['--create', '--blocking-factor=1', '--sort=name', '--mtime=@0', '--numeric-owner', '--directory', root]
  const child = spawn('tar', [...args, ...excluded.map((path) => `--exclude=./${path}`), '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await pipeline(child.stdout, dropLast(tarTrailer.length), createZstdCompress(compression), createWriteStream(target))
  if ((await ended) !== 0) throw new ServiceError(`tar could not pack ${root}: see its message above.`)
}

/** Passes everything on but the last bytes. */
function dropLast(size: number): Transform {
  let held: Buffer = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const all = Buffer.concat([held, chunk])
      const cut = Math.max(0, all.length - size)
      held = all.subarray(cut)
      done(null, all.subarray(0, cut))
    },
  })
}
