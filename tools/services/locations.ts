import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The folder of the Go modules that the tools are built from. */
export const toolsFolder = resolve(import.meta.dirname, '..')

/** Where built tools and base images are kept between runs, outside the repository; `IMAGE_CACHE_HOME` overrides it. */
export function cacheHome(): string {
  const override = process.env.IMAGE_CACHE_HOME
  return resolve(override === undefined || override === '' ? join(homedir(), '.cache', 'image-cache-action') : override)
}

/** Where `npm run services` keeps running services' sockets, logs and storage; `IMAGE_CACHE_STATE` overrides it. */
export function defaultStateDir(): string {
  const override = process.env.IMAGE_CACHE_STATE
  return resolve(override === undefined || override === '' ? join(cacheHome(), 'state') : override)
}
