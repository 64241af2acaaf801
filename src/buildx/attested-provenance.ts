import { goFlag } from '../base/go-flag.ts'
import { attestType, type BuilderOptions } from './builder-options.ts'
import { splitFields } from './option-fields.ts'

/** What of a build decides which provenance is attested. */
export interface AttestedBuild {
  /** As the user gave it. */
  readonly provenance: string | undefined
  readonly outputs: readonly string[]
  readonly options?: BuilderOptions
}

/** What is known of the run that builds. */
export interface ProvenanceRun {
  /** Undefined outside GitHub. */
  readonly runUrl: string | undefined
  readonly isPrivate?: boolean | undefined
}

/**
 * The provenance to ask buildx for, by the rules of docker/build-push-action (README, "provenance"; its `getAttestArgs`):
 * who built it stands in it, and when nothing is said, all is told in a public repository and the least in a private
 * one. Nothing is added outside GitHub, for an image that Docker loads, or with `BUILDX_NO_DEFAULT_ATTESTATIONS`.
 * @returns undefined leaves the choice to buildx
 */
export function attestedProvenance(
  { provenance, outputs, options }: AttestedBuild,
  env: Readonly<Record<string, string | undefined>>,
  { runUrl, isPrivate = false }: ProvenanceRun,
): string | undefined {
  if (runUrl === undefined) return provenance
  const attempt = env.GITHUB_RUN_ATTEMPT ?? ''
  const builder = `builder-id=${runUrl}${attempt === '' ? '' : `/attempts/${attempt}`}`
  if (provenance !== undefined) return withBuilder(provenance, builder)
  const isAttested = options?.attests.some((attest) => attestType(attest) === 'provenance') === true
  const isLoaded = outputs.some((output) => /^type=docker\b/.test(output))
  if (isAttested || isLoaded || goFlag(env.BUILDX_NO_DEFAULT_ATTESTATIONS)) return undefined
  return `${isPrivate ? 'mode=min,inline-only=true' : 'mode=max'},${builder}`
}

function withBuilder(provenance: string, builder: string): string {
  const flag = goFlag(provenance)
  if (flag === true) return builder
  const fields = splitFields(provenance)
  if (
    flag === false ||
    typeof fields === 'string' ||
    fields.has('builder-id') ||
    goFlag(fields.get('disabled')) === true
  ) {
    return provenance
  }
  return `${provenance},${builder}`
}
