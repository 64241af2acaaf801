import { type ErrorCode, ImageCacheError } from '../base/errors.ts'
import type { BuildTimeline, StepKind } from './progress-timeline.ts'

interface Cause {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly hint: string
}

/** What buildx says when the daemon behind a builder is gone, or goes while it builds. */
const LOST =
  /no builder .* found|failed to find driver|unable to connect|transport: Error while dialing|closing transport|error reading from server|code = Unavailable|no active session/i

/** What builders and registries say, by what a reader can do about it; the first that fits is taken. */
const CAUSES: readonly Cause[] = [
  {
    // BuildKit asks for each image of FROM, COPY --from and named contexts before it runs anything.
    pattern: /failed to resolve source metadata for \S+: .*: not found$|manifest unknown/im,
    code: 'E_BASE_IMAGE',
    hint: 'The image that is named is not in its registry: check its name and tag in the Dockerfile, and that it was pushed.',
  },
  {
    pattern: /no space left on device|disk quota exceeded/i,
    code: 'E_DISK_FULL',
    hint: 'Free space on the builder, for example with `docker buildx prune`, or use a larger disk.',
  },
  {
    pattern: /401 Unauthorized|403 Forbidden|denied: |unauthorized: |authorization failed|insufficient_scope/i,
    code: 'E_REGISTRY_AUTH',
    hint: 'Log in to the registry before this step, with an account that may push and pull there.',
  },
  {
    pattern: /429 Too Many Requests|toomanyrequests|unexpected status.*: 5\d\d |connection refused|connection reset/i,
    code: 'E_REGISTRY',
    hint: 'The registry or a network on the way refused for the moment; run the job again or ask its operator.',
  },
  {
    pattern: LOST,
    code: 'E_BUILDER',
    hint: 'See that the builder runs: `docker buildx inspect --bootstrap`.',
  },
  {
    pattern: /dockerfile parse error|unknown instruction|failed to parse/i,
    code: 'E_DOCKERFILE',
    hint: 'Mend the line that is named.',
  },
]

/** Whether a build failed because its builder went away, so that another one can do it. */
export function isBuilderLost({ code, message }: ImageCacheError): boolean {
  return code === 'E_BUILDER' && LOST.test(message)
}

const COMMANDS: ReadonlySet<StepKind> = new Set(['run'])

/** Turns what a failed build left behind into one error: the step, what it said, and the last lines of its log. */
export function buildError(timeline: BuildTimeline, status: string): ImageCacheError {
  const { failed } = timeline
  const said = failed?.message ?? lastError(timeline) ?? `buildx ended with ${status} and said nothing`
  // The log of a command is the user's: only what the builder itself says tells the cause.
  const told = failed === undefined || COMMANDS.has(failed.step.kind) ? [] : failed.step.logs
  const cause = CAUSES.find(({ pattern }) => [said, ...timeline.text, ...told].some((line) => pattern.test(line)))
  const place = failed?.place === undefined ? '' : ` (${failed.place.file}:${failed.place.line})`
  const log = (failed?.step.logs ?? [])
    .slice(-10)
    .map((line) => `\n  ${line}`)
    .join('')
  const step = failed === undefined ? '' : `${failed.step.name}${place}: `
  return new ImageCacheError(cause?.code ?? 'E_BUILD', `the build failed: ${step}${said}${log}`, {
    hint: cause?.hint ?? 'The last lines of the failing step stand above; its whole log is in the step of that name.',
  })
}

function lastError(timeline: BuildTimeline): string | undefined {
  const line = timeline.text.findLast((text) => /^error: /i.test(text)) ?? timeline.text.at(-1)
  return line?.replace(/^error: (failed to solve: )?/i, '')
}
