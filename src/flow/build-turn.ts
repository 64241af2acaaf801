import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { acquireLease } from '../task-cache/lease.ts'
import type { Content, UnknownContent } from './content.ts'
import { findImage, reasonNotToAsk } from './find-image.ts'

/** Whose turn it is to build an image. Disposed of, it lets the next one have it. */
export interface BuildTurn extends AsyncDisposable {
  /** `built`: another job made the image meanwhile. */
  readonly kind: 'build' | 'built'
  /** What the report should say, when there is something to say. */
  readonly note: string | undefined
}

/** Seconds between two signs of life of a job that builds. */
const HEARTBEAT = 15

/**
 * Waits while another job builds the same content, when `serialize` asks for it: whoever is first builds, the others
 * find its image. A job that dies leaves its turn to one that waits.
 * @throws ImageCacheError E_CANCELLED when the run is cancelled meanwhile
 */
export async function takeBuildTurn(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  deps: Deps,
): Promise<BuildTurn> {
  if (!inputs.serialize) return freeTurn(undefined)
  const asked = { ...inputs, check: 'registry', force: false, noCache: false } as const
  const reason = content.kind === 'unknown' ? 'the content is unknown' : reasonNotToAsk(asked)
  if (content.kind === 'unknown' || reason !== undefined) {
    return freeTurn(`serialize: nothing to wait for, ${reason}`)
  }
  const { store, clock, signal, host, context } = deps
  // The registry knows of an image as soon as it is pushed, the store's records come later.
  const isDone = async (): Promise<boolean> => (await findImage(asked, content, deps)).kind === 'found'
  const lease = await acquireLease(content.key, isDone, {
    ...{ store, clock, signal, heartbeat: HEARTBEAT, waitLimit: inputs.waitLimit, salt: `build ${inputs.salt}` },
    owner: context.runUrl ?? `process ${process.pid}`,
    onWait: (owner) => host.info(`waits for ${owner}, which builds the same content`),
  })
  switch (lease.kind) {
    case 'done':
      return { ...freeTurn(undefined), kind: 'built' }
    case 'unshared':
      return freeTurn(`serialize: built without waiting for others: ${lease.reason}`)
    case 'owned':
      return { ...freeTurn(undefined), [Symbol.asyncDispose]: () => lease.release() }
  }
}

function freeTurn(note: string | undefined): BuildTurn {
  return { kind: 'build', note, [Symbol.asyncDispose]: async () => undefined }
}
