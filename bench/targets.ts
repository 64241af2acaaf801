import { formatTime } from '../tools/measure/measure-build.ts'
import { type BenchResult, findShape, findTimed } from './bench-result.ts'

/** A promise about speed, and what this run says about it. */
export interface Target {
  readonly what: string
  readonly wanted: string
  readonly found: string
  /** Undefined where this run can't tell. */
  readonly reached: boolean | undefined
}

/** Targets of the product, those about big images only for a project with big packages. */
export function checkTargets(result: BenchResult): readonly Target[] {
  const big = result.project === 'torch'
  return [
    ...existing(result),
    big
      ? faster(result, 'light', 'default', 36, 'one light package added')
      : forBigOnly('one light package added', 'at least 36x faster than one RUN with default options'),
    big
      ? faster(result, 'light', 'chain', 5, 'one light package added')
      : forBigOnly('one light package added', 'at least 5x faster than a chain'),
    ownBytes(result, 'light', 'one light package added: bytes of the image that were pulled'),
    under(result, 'patch', 1, 'base image patched'),
    noWork(result),
    under(result, 'source', 1, 'source changed'),
    ownBytes(result, 'source', 'source changed: bytes of the image that were pulled'),
    faster(result, 'cold', 'chain', 1.2, 'cold build'),
    faster(result, 'cold', 'default', 4, 'cold build'),
  ]
}

type Compared = 'light' | 'cold'

function faster(result: BenchResult, shape: Compared, other: 'default' | 'chain', times: number, what: string): Target {
  const name = other === 'default' ? 'one RUN with default options' : 'a chain with the same compression'
  const wanted = `at least ${times}x faster than ${name}`
  const [ours, theirs] = [findShape(result, 'ours', shape), findShape(result, other, shape)]
  if (ours === undefined || theirs === undefined) return { what, wanted, found: 'not measured', reached: undefined }
  const ratio = theirs.seconds.median / ours.seconds.median
  const found = `${ratio.toFixed(1)}x (${formatTime(ours.seconds.median)} against ${formatTime(theirs.seconds.median)})`
  return { what, wanted, found, reached: ratio >= times }
}

function under(result: BenchResult, shape: 'patch' | 'source', seconds: number, what: string): Target {
  const ours = findShape(result, 'ours', shape)
  const wanted = `under ${seconds} s`
  if (ours === undefined) return { what, wanted, found: 'not measured', reached: undefined }
  return { what, wanted, found: formatTime(ours.seconds.median), reached: ours.seconds.median < seconds }
}

/** Manifests and configurations are pulled in any case; layers are what must not be. */
const METADATA = 100_000

function ownBytes(result: BenchResult, shape: 'light' | 'source', what: string): Target {
  const ours = findShape(result, 'ours', shape)
  const wanted = '0 besides manifests'
  if (ours === undefined) return { what, wanted, found: 'not measured', reached: undefined }
  const found = `${Math.round(ours.pulledOwnBytes / 1000)} kB`
  return { what, wanted, found, reached: ours.pulledOwnBytes < METADATA }
}

function noWork(result: BenchResult): Target {
  const what = 'base image patched: dependency steps run'
  const ours = findShape(result, 'ours', 'patch')
  if (ours === undefined) return { what, wanted: '0', found: 'not measured', reached: undefined }
  return { what, wanted: '0', found: String(ours.runSteps), reached: ours.runSteps === 0 }
}

function existing(result: BenchResult): readonly Target[] {
  const bundle = findTimed(result, 'bundle', 0)
  const latencies = [...new Set(result.timed.map(({ latencyMs }) => latencyMs))]
  const rows = latencies.flatMap((latency): readonly Target[] => {
    const [action, buildx] = [findTimed(result, 'action-exists', latency), findTimed(result, 'buildx-cached', latency)]
    if (action === undefined || buildx === undefined) return []
    const where = latency === 0 ? 'on loopback' : `with ${latency} ms to each service`
    const [ours, theirs] = [action.seconds.median, buildx.seconds.median]
    return [
      {
        what: `image exists, whole action, ${where}`,
        wanted: 'under 0.5 s',
        found: formatTime(ours),
        reached: ours < 0.5,
      },
      {
        what: `image exists, whole action, ${where}`,
        wanted: 'at least 10x faster than a fully cached buildx build --push',
        found: `${(theirs / ours).toFixed(1)}x (against ${formatTime(theirs)})`,
        reached: theirs / ours >= 10,
      },
    ]
  })
  if (bundle === undefined) return rows
  const loading = bundle.seconds.median
  const found = `${Math.round(loading * 1000)} ms`
  return [...rows, { what: 'loading the bundle', wanted: 'under 150 ms', found, reached: loading < 0.15 }]
}

function forBigOnly(what: string, wanted: string): Target {
  return { what, wanted, found: 'told by --project torch only', reached: undefined }
}
