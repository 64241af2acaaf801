import type { Shape } from '../tools/measure/shape.ts'
import type { Spread } from './statistics.ts'

/** The ways that are compared unless others are asked for, in this order. */
export const USUAL_WAYS = ['default', 'zstd', 'chain', 'ours'] as const
/** All ways: two of ours beside each other, too. */
export const WAY_NAMES = [...USUAL_WAYS, 'linked', 'composed'] as const

export type WayName = (typeof WAY_NAMES)[number]

/** One way to build and one shape, measured several times. */
export interface ShapeResult {
  readonly way: WayName
  readonly shape: Shape
  readonly seconds: Spread
  /** Medians of the runs. */
  readonly pulledBytes: number
  /** Of the pulled bytes, those of the image's own repository: neither base nor installer image. */
  readonly pulledOwnBytes: number
  readonly pushedBytes: number
  readonly layersBuilt: number
  readonly layersReused: number
  /** RUN steps that the builder ran, the most of all runs. */
  readonly runSteps: number
  /** Where the last run's time went, for ours. */
  readonly stages: readonly { readonly name: string; readonly seconds: number }[]
}

/** Something measured that is no build. */
export interface TimedResult {
  readonly name: 'action-exists' | 'buildx-cached' | 'bundle'
  /** Milliseconds that each request to the registry (and to the cache service) was made to wait. */
  readonly latencyMs: number
  readonly seconds: Spread
  /** Requests to the registry in one run, where there were any. */
  readonly registryRequests?: number | undefined
  /** Requests to the cache service in one run. */
  readonly cacheRequests?: number | undefined
}

export interface Machine {
  readonly cores: number
  readonly cpu: string
  /** Bytes. */
  readonly memory: number
  readonly system: string
  /** By name: `buildkit`, `buildx`, `registry`, `node`, `python`, `uv`. */
  readonly versions: Readonly<Record<string, string>>
}

/** Everything that one run of the bench found about one project. */
export interface BenchResult {
  readonly project: string
  /** ISO date. */
  readonly date: string
  readonly machine: Machine
  readonly shapes: readonly ShapeResult[]
  readonly timed: readonly TimedResult[]
}

export function findShape(result: BenchResult, way: WayName, shape: Shape): ShapeResult | undefined {
  return result.shapes.find((one) => one.way === way && one.shape === shape)
}

export function findTimed(result: BenchResult, name: TimedResult['name'], latencyMs: number): TimedResult | undefined {
  return result.timed.find((one) => one.name === name && one.latencyMs === latencyMs)
}
