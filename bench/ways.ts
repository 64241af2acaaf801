import { buildxWay } from '../tools/measure/buildx-way.ts'
import { ourWay, ourWayOf } from '../tools/measure/our-way.ts'
import type { Way } from '../tools/measure/way.ts'
import type { WayName } from './bench-result.ts'

export interface BenchWay {
  readonly name: WayName
  readonly way: Way
}

/**
 * What is compared. All have a registry cache beside the image. Its mode is `min` for all of them: for a Dockerfile of
 * one stage, as the first three are, `min` and `max` hold the same layers, and ours exports `min`, too.
 */
export const BENCH_WAYS: readonly BenchWay[] = [
  {
    name: 'default',
    way: buildxWay({
      name: 'default',
      title: 'one RUN, gzip',
      what: 'the Dockerfile as it is, buildx with its defaults and a registry cache',
      dockerfile: 'Dockerfile',
      compression: undefined,
      mode: 'min',
    }),
  },
  {
    name: 'zstd',
    way: buildxWay({
      name: 'zstd',
      title: 'one RUN, zstd',
      what: 'the same with zstd for image and cache',
      dockerfile: 'Dockerfile',
      compression: 'zstd',
      mode: 'min',
    }),
  },
  {
    name: 'chain',
    way: buildxWay({
      name: 'chain',
      title: 'chain, zstd',
      what: 'the install split by hand, the heavy packages first, with zstd for image and cache',
      dockerfile: 'Dockerfile.chain',
      compression: 'zstd',
      mode: 'min',
    }),
  },
  { name: 'ours', way: ourWay },
  { name: 'linked', way: ourWayOf('linked', 'image-cache, linked', ['--assemble', 'linked']) },
  { name: 'composed', way: ourWayOf('composed', 'image-cache, composed', ['--assemble', 'composed']) },
]
