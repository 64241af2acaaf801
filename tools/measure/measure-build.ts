import { formatBytes } from '../../src/base/bytes.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { countLayers, imageLayers } from './image-layers.ts'
import type { ProjectCopy } from './project.ts'
import type { Shape } from './shape.ts'
import type { Way } from './way.ts'
import type { Workplace } from './workplace.ts'

/** One build, measured from outside. */
export interface Measurement {
  readonly way: string
  readonly shape: Shape
  /** What was changed for it, where that isn't plain from the shape. */
  readonly change: string
  readonly seconds: number
  /** Bytes of bodies between builder (and CLI) and registry. */
  readonly pulledBytes: number
  readonly pushedBytes: number
  /** Of the pulled bytes, those of the image's own repository, its cache included: neither base nor installer image. */
  readonly pulledOwnBytes: number
  readonly requests: number
  /** Layers that the image before didn't have; those of the base image don't count. */
  readonly layersBuilt: number
  readonly layersReused: number
  /** RUN steps that the builder ran. */
  readonly runs: number
  readonly skipped: boolean
  readonly report: BuildReport
}

/** Builds one project in one way, shape after shape, and keeps what the next build is compared with. */
export interface MeasuredLine {
  /** Makes the shape's change, empties the builder, builds and measures. */
  build(shape: Shape): Promise<Measurement>
}

export interface MeasuredLineOptions {
  readonly place: Workplace
  readonly way: Way
  readonly copy: ProjectCopy
  readonly onProgress: (words: string) => void
}

export function measuredLine(options: MeasuredLineOptions): MeasuredLine {
  const { place, way, copy, onProgress } = options
  const path = `image/${way.name}`
  let before: readonly string[] = []
  return {
    build: async (shape) => {
      const change = await makeChange(shape, place, copy)
      await place.services.emptyBuilder()
      place.signal.throwIfAborted()
      place.proxy.reset()
      const repository = `${place.proxy.registry}/${path}`
      const { seconds, report } = await way.build({ place, copy, repository, onProgress })
      const traffic = place.proxy.snapshot()
      const [image, base] = await Promise.all([
        imageLayers(place.services.registry, `${path}:latest`),
        imageLayers(place.services.registry, place.python.slice(place.proxy.registry.length + 1)),
      ])
      const { built, reused } = countLayers(image, base, before)
      before = image
      const { pulledBytes, pushedBytes, requests } = traffic
      return {
        way: way.name,
        shape,
        change,
        seconds,
        pulledBytes,
        pushedBytes,
        pulledOwnBytes: traffic.byRepository[path]?.pulledBytes ?? 0,
        requests,
        layersBuilt: built,
        layersReused: reused,
        runs: report.timeline?.executedRuns.filter(({ kind }) => kind === 'run').length ?? 0,
        skipped: report.outcome === 'skipped',
        report: { ...report, pulledBytes, pushedBytes },
      }
    },
  }
}

async function makeChange(shape: Shape, place: Workplace, copy: ProjectCopy): Promise<string> {
  if (shape === 'light') return await copy.addLight()
  if (shape === 'source') await copy.changeSource()
  if (shape === 'patch') await place.patch()
  return ''
}

/** A measurement in one line: `4.4 s, 57.1 MB pulled, 1.2 MB pushed, 1 layer built, 5 reused`. */
export function describeMeasurement(measured: Measurement): string {
  const { pulledBytes, pushedBytes, layersBuilt, layersReused } = measured
  if (measured.skipped) return `${formatTime(measured.seconds)}, skipped: the image is there already`
  return [
    formatTime(measured.seconds),
    `${formatBytes(pulledBytes)} pulled`,
    `${formatBytes(pushedBytes)} pushed`,
    `${layersBuilt} ${layersBuilt === 1 ? 'layer' : 'layers'} built`,
    `${layersReused} reused`,
  ].join(', ')
}

/** Seconds with the digits that a measurement of this length can have. */
export function formatTime(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`
}
