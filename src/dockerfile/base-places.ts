import type { BaseImage } from './dockerfile.ts'

/**
 * Top folders that base images bring along: with modes of their own, owners of their own, or as links. A linked COPY
 * makes its folders anew, which would show.
 */
export const SHARED_ROOTS = new Set([
  'bin',
  'boot',
  'dev',
  'etc',
  'home',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'media',
  'mnt',
  'proc',
  'root',
  'run',
  'sbin',
  'sys',
  'tmp',
  'usr',
  'var',
])
/** Real folders of root's in every base image; only their owner could be changed. */
export const PLAIN_ROOTS = ['/opt', '/srv']

/** Why the path may be the base image's own; undefined where it is the user's. @param path absolute */
export function placeObstacle(path: string, root: BaseImage | undefined): string | undefined {
  if (isFreePlace(path, root)) return undefined
  const [, top = ''] = path.split('/')
  if (top === '' || SHARED_ROOTS.has(top)) return `${path} lies among folders that the base image brings along`
  return PLAIN_ROOTS.includes(path) ? `${path} is a folder that the base image brings along` : undefined
}

/**
 * Whether a path below /usr/src is the user's, as in `WORKDIR /usr/src/app`: the base image has nothing there and above
 * but folders as layers make them. Its files tell.
 */
export function isFreePlace(path: string, root: BaseImage | undefined): boolean {
  const places = root?.places
  if (places === undefined || !path.startsWith('/usr/src/')) return false
  return pathsDownTo(path).every((folder) => places.get(folder) !== 'other')
}

/** `/app`, `/app/a`, `/app/a/b` */
export function pathsDownTo(path: string): readonly string[] {
  const parts = path.split('/').slice(1)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}
