import type { BuildTimeline } from './progress-timeline.ts'

/**
 * What a build that failed died of, as far as another try can help:
 * - `import-lost`: something that an imported cache promised can't be had any more
 * - `push`: the registry, or the way to it, refused for the moment
 * - `shared-graph`: the daemon mixed up steps that two clients share (moby/buildkit issue 2303)
 */
export type BuildTrouble = 'import-lost' | 'push' | 'shared-graph' | 'other'

const SHARED_GRAPH = /failed to get edge: inconsistent graph state|inconsistent graph state/i
const PUSH = /failed to push |error writing manifest|pushing manifest/i
/** `400` is what proxies answer to an upload that sat idle (docker/buildx issue 4057). */
const PASSING =
  /429 Too Many Requests|toomanyrequests|unexpected status[^\n]*: 5\d\d |\b50[0234] (Internal|Not Impl|Bad Gateway|Service|Gateway)|connection reset|broken pipe|unexpected EOF|: EOF\b|i\/o timeout|TLS handshake timeout|(PUT|PATCH|POST)[^\n]*\/blobs\/uploads\/[^\n]*: 400 Bad Request/i
const LOST =
  /blob (sha256:\S+ )?not found|content digest sha256:[0-9a-f]{64}: not found|could not fetch content descriptor sha256:[0-9a-f]{64}[^\n]*not found|failed to copy: httpReadSeeker|httpReadSeeker: failed open|BlobNotFound|AuthenticationFailed|signature[^\n]*expired|Request has expired|ExpiredToken|failed to (load|get) (cache|remote|layer|blob)|missing descriptor handlers|failed to read expected number of bytes|short read: expected \d+ bytes|failed commit on ref[^\n]*digest|unexpected commit digest|failed to extract layer|failed size validation/i

/**
 * @param imports how many caches the build imported
 */
export function buildTrouble(timeline: BuildTimeline, imports: number): BuildTrouble {
  const { failed } = timeline
  const said = [failed?.message ?? '', ...timeline.text].join('\n')
  // The words of a command are the user's, whatever they are like.
  if (failed?.step.kind === 'run' && /exit code: \d+/.test(failed.message)) return 'other'
  if (SHARED_GRAPH.test(said)) return 'shared-graph'
  if (failed?.step.kind !== 'cache-export' && PUSH.test(said))
    return PASSING.test(said) ? 'push' : lostIn(said, imports)
  return lostIn(said, imports)
}

function lostIn(said: string, imports: number): BuildTrouble {
  return imports > 0 && LOST.test(said) ? 'import-lost' : 'other'
}

/** Whether every name of every image output is in its registry, as the builder said. */
export function isPushed({ pushes, exports }: BuildTimeline): boolean {
  const manifests = pushes.filter(({ name }) => name.startsWith('pushing manifest for '))
  const images = new Set(exports.filter(({ name }) => /^exporting to image/.test(name)).map(({ step }) => step))
  const done = new Set(manifests.filter(({ end }) => end !== undefined).map(({ step }) => step))
  const isWhole = manifests.every(({ end, error }) => end !== undefined && error === undefined)
  return images.size > 0 && isWhole && [...images].every((step) => done.has(step))
}

/** The digest that a push ended with: `pushing manifest for registry/app:tag@sha256:…`. */
export function pushedDigest({ pushes }: BuildTimeline): string | undefined {
  const target = pushes.findLast(
    ({ name, end }) => name.startsWith('pushing manifest for ') && end !== undefined,
  )?.target
  return /@(sha256:[0-9a-f]{64})$/.exec(target ?? '')?.[1]
}
