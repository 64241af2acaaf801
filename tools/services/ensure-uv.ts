import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { debianRootfs, uvVersion } from './debian-rootfs.ts'
import { cacheHome } from './locations.ts'

/**
 * The folder of a uv for this machine, the same as in the installer image: as on a runner with astral-sh/setup-uv.
 * @returns a folder to put first on PATH; it holds `uv` alone
 */
export async function ensureUv(log: (line: string) => void = () => undefined): Promise<string> {
  const folder = join(cacheHome(), 'tools', `uv-${uvVersion}`)
  if (existsSync(join(folder, 'uv'))) return folder
  const { uv } = await debianRootfs(log)
  mkdirSync(dirname(folder), { recursive: true })
  const unpacked = mkdtempSync(`${folder}-`)
  execFileSync('tar', ['-x', '-C', unpacked, '--strip-components=3', 'usr/local/bin/uv'], {
    input: zstdDecompressSync(readFileSync(uv)),
  })
  if (existsSync(folder)) rmSync(unpacked, { recursive: true })
  else renameSync(unpacked, folder)
  return folder
}
