import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureUv } from './ensure-uv.ts'
import { withFileLock } from './file-lock.ts'
import { ensureDebianProgram } from './find-program.ts'
import { cacheHome, toolsFolder } from './locations.ts'
import { machineSettings } from './machine-settings.ts'
import { runProgram } from './run-program.ts'

/**
 * The path of zizmor's binary, which looks for weak places in workflows; installs the wheel of tools/zizmor by its
 * hashes when the cache has none of this version.
 * @throws ServiceError when it can't be installed
 */
export async function ensureZizmor(log: (line: string) => void = () => undefined): Promise<string> {
  const requirements = join(toolsFolder, 'zizmor/requirements.txt')
  const [, version = ''] = /^zizmor==(\S+)/.exec(await readFile(requirements, 'utf8')) ?? []
  const folder = join(cacheHome(), 'tools', `zizmor-${version}`)
  const binary = join(folder, 'bin/zizmor')
  if (existsSync(binary)) return binary
  const uv = join(await ensureUv(log), 'uv')
  // uv asks a Python what machine this is.
  const python = await ensureDebianProgram('python3', 'installs zizmor', log)
  return await withFileLock(join(cacheHome(), 'locks', `zizmor-${version}.lock`), async () => {
    if (existsSync(binary)) return binary
    const unpacked = await mkdtemp(`${folder}-`)
    try {
      const options = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--python', python, '--quiet']
      const { UV_DEFAULT_INDEX } = machineSettings().env
      await runProgram(uv, ['pip', 'install', ...options, '--target', unpacked, '--requirement', requirements], {
        env: UV_DEFAULT_INDEX === undefined ? {} : { UV_DEFAULT_INDEX },
      })
      await rename(unpacked, folder)
    } finally {
      await rm(unpacked, { recursive: true, force: true })
    }
    return binary
  })
}
