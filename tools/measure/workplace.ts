import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { ImageCacheError } from '../../src/base/errors.ts'
import type { CountingProxy } from '../services/counting-proxy.ts'
import { ensureUv } from '../services/ensure-uv.ts'
import {
  baseImages,
  countingProxy,
  patchBase,
  type ServiceSet,
  startServices,
  stopServices,
} from '../services/service-set.ts'

/** Where measured builds happen: services of their own and a folder for copies, both gone at the end. */
export interface Workplace {
  readonly services: ServiceSet
  /** In front of the registry; all builds reach the registry through it. */
  readonly proxy: CountingProxy
  /** For copies of projects. */
  readonly folder: string
  /** Reference of the base image, through the proxy; `patch` moves its tag. */
  readonly python: string
  /** Reference of the image with uv and the same Python, through the proxy. */
  readonly installer: string
  /** Environment of image-cache: the services', and a uv on PATH, as on a runner where a step before installed it. */
  readonly env: Readonly<Record<string, string>>
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal
  /** Moves the base image's tag to a patched image; another one each time. */
  patch(): Promise<void>
  /** Takes everything out of the builder and the registry, and puts the unpatched base images back. */
  emptyAll(): Promise<void>
}

export interface WorkplaceOptions {
  readonly stateDir: string
  /** Leaves services and storage as they are at the end. */
  readonly keep?: boolean
  readonly log: (line: string) => void
  readonly signal: AbortSignal
  /** Bytes that must be free on the disk. */
  readonly disk: number
}

const BASE_TAG = '3.11-slim'

/**
 * Starts services, does some work with them and stops and empties them, whether it went well or not.
 * @throws ImageCacheError E_DISK_FULL before anything is started when the disk has too little room
 */
export async function withWorkplace<T>(options: WorkplaceOptions, work: (place: Workplace) => Promise<T>): Promise<T> {
  const { stateDir, log, signal } = options
  await mkdir(stateDir, { recursive: true })
  await expectRoom(stateDir, options.disk)
  // What a run left behind that was killed.
  await stopServices(stateDir)
  let proxy: CountingProxy | undefined
  const folder = await mkdtemp(join(stateDir, 'work-'))
  try {
    const services = await startServices({ stateDir, log })
    proxy = await countingProxy(services.registry)
    const images = await baseImages(services.registry, log)
    const env = { ...services.env, PATH: `${await ensureUv(log)}:${services.env.PATH}` }
    signal.throwIfAborted()
    return await work(openWorkplace({ services, proxy, folder, env, signal }, images))
  } finally {
    await proxy?.stop()
    await rm(folder, { recursive: true, force: true })
    if (options.keep !== true) await stopServices(stateDir)
  }
}

function openWorkplace(
  given: Pick<Workplace, 'services' | 'proxy' | 'folder' | 'env' | 'signal'>,
  images: { readonly python: string; readonly installer: string },
): Workplace {
  const { services, proxy } = given
  const throughProxy = (reference: string): string => reference.replace(services.registry, proxy.registry)
  let patches = 0
  return {
    ...given,
    python: throughProxy(images.python),
    installer: throughProxy(images.installer),
    patch: async () => {
      patches += 1
      await patchBase(services.registry, patches, { tag: BASE_TAG })
    },
    emptyAll: async () => {
      await services.emptyBuilder()
      await services.emptyRegistry()
      await baseImages(services.registry)
    },
  }
}

/** A signal that is aborted when the user or the system wants this process to end. */
export function endSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(new ImageCacheError('E_CANCELLED', `ended by ${name}`)))
  }
  return controller.signal
}

async function expectRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= bytes) return
  const gigabytes = (count: number): string => `${Math.floor(count / 1e9)} GB`
  throw new ImageCacheError(
    'E_DISK_FULL',
    `${gigabytes(bytes)} of free disk are needed for this, and ${folder} has ${gigabytes(free)}`,
  )
}
