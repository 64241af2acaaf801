import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ImageCacheError } from '../../src/base/errors.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { readReport } from './read-report.ts'
import type { BuildOrder, Way, WayResult } from './way.ts'

const root = resolve(import.meta.dirname, '../..')

/** The CLI of this repository: the bundle, or the sources where it isn't built. */
export const cliFile = [join(root, 'dist/cli/index.js'), join(root, 'src/entry/cli.ts')].find(existsSync) ?? ''

/**
 * `image-cache build` on the same Dockerfile. Its local store lies in the workplace's folder and outlives an emptied
 * builder, as GitHub's cache outlives a job.
 */
export const ourWay: Way = ourWayOf('ours', 'image-cache', [])

/** The same with options of the command line, to compare its own ways with each other. */
export function ourWayOf(name: string, title: string, options: readonly string[]): Way {
  return {
    name,
    title,
    what: ['the same Dockerfile with image-cache build', ...options].join(' '),
    prepare: async () => undefined,
    build: (order) => build(order, options),
  }
}

async function build(order: BuildOrder, options: readonly string[]): Promise<WayResult> {
  const { place, copy, repository } = order
  const args = [
    cliFile,
    'build',
    copy.folder,
    '--push',
    '--json',
    '--tags',
    `${repository}:latest`,
    '--build-contexts',
    `python:3.11-slim=docker-image://${place.python}`,
    '--installer-image',
    place.installer,
    '--store',
    'local',
    ...options,
  ]
  const started = performance.now()
  const result = await new SpawnExec().run(process.execPath, args, {
    env: { ...place.env, XDG_CACHE_HOME: join(place.folder, 'cache', repository) },
    signal: place.signal,
    onStderrLine: (line) => order.onProgress(line.trim()),
  })
  const seconds = (performance.now() - started) / 1000
  if (result.exitCode !== 0) {
    throw new ImageCacheError('E_BUILD', `image-cache build failed:\n${lastLines(result.stderr)}`)
  }
  return { seconds, report: readReport(result.stdout) }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n')
}
