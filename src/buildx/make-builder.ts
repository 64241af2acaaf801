import { setTimeout as pause } from 'node:timers/promises'
import { ImageCacheError } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'
import { type BuildxCommand, type FoundBuilder, parseInspect, whySilent } from './builder.ts'

/** A builder that is to be made, as data. */
export interface BuilderPlan {
  readonly name: string
  readonly driver: 'docker-container' | 'kubernetes' | 'remote'
  /** `KEY=VALUE`. */
  readonly driverOpts: readonly string[]
  /** Image of BuildKit; remote builders have theirs. */
  readonly image: string | undefined
  /** Of a remote builder. */
  readonly endpoint: string | undefined
  /** Entitlements that its daemon allows. */
  readonly allow: readonly string[]
}

/** Arguments of `buildx create` for a plan. What the user says of the image wins. */
export function createArgs(plan: BuilderPlan): readonly string[] {
  const hasImage = plan.image === undefined || plan.driverOpts.some((option) => /^"?image=/.test(option))
  const options = [...plan.driverOpts, ...(hasImage ? [] : [`image=${plan.image}`])]
  const flags = plan.driver === 'remote' ? [] : plan.allow.map((name) => `--allow-insecure-entitlement ${name}`)
  return [
    'create',
    '--name',
    plan.name,
    '--driver',
    plan.driver,
    ...options.flatMap((option) => ['--driver-opt', option]),
    ...(flags.length === 0 ? [] : ['--buildkitd-flags', flags.join(' ')]),
    ...(plan.endpoint === undefined ? [] : [plan.endpoint]),
  ]
}

/** What a registry or the network says when asking once more may help. */
const PASSING =
  /429|toomanyrequests|5\d\d (Internal|Bad|Service|Gateway)|timeout|timed out|reset by peer|unexpected EOF|TLS handshake/i

/** Seconds before the second and third try to start a builder. */
const PAUSES = [2, 8] as const

/**
 * Makes a builder and waits until it answers. Its image comes from a registry that may refuse for a moment: starting
 * it is tried three times.
 * @param onMade called as soon as there is something to remove
 * @throws ImageCacheError E_BUILDER with what buildx said
 */
export async function makeBuilder(
  plan: BuilderPlan,
  { exec, buildx, signal }: { readonly exec: Exec; readonly buildx: BuildxCommand; readonly signal: AbortSignal },
  onMade: () => void,
  pauses: readonly number[] = PAUSES,
): Promise<FoundBuilder> {
  const call = (args: readonly string[]) => exec.run(buildx.command, [...buildx.prefix, ...args], { signal })
  const created = await call(createArgs(plan))
  if (created.exitCode !== 0) throw notMade(plan, created.stderr)
  onMade()
  // Nothing is started behind a remote address: it answers now, or another one is asked.
  const start =
    plan.driver === 'remote' ? ['inspect', '--timeout', '5s', plan.name] : ['inspect', '--bootstrap', plan.name]
  for (let tries = 0; ; tries += 1) {
    const answer = await call(start)
    const said = answer.exitCode === 0 ? whySilent(answer.stdout) : answer.stderr
    if (said === undefined) return { buildx, builder: parseInspect(answer.stdout, plan.name) }
    const seconds = pauses[tries]
    if (plan.driver === 'remote' || seconds === undefined || !PASSING.test(said)) throw notMade(plan, said)
    await pause(seconds * 1000, undefined, { signal })
  }
}

/** Takes a builder away; answers what buildx said when it could not. */
export async function removeBuilder(
  name: string,
  { exec, buildx }: { readonly exec: Exec; readonly buildx: BuildxCommand },
): Promise<string | undefined> {
  const answer = await exec.run(buildx.command, [...buildx.prefix, 'rm', '--force', name]).catch((error: unknown) => ({
    exitCode: 1,
    stderr: String(error),
  }))
  return answer.exitCode === 0 ? undefined : lastLine(answer.stderr)
}

function notMade({ driver, endpoint, name }: BuilderPlan, said: string): ImageCacheError {
  const what =
    endpoint === undefined ? `a ${driver} builder could not be made` : `the builder at ${endpoint} does not answer`
  return new ImageCacheError('E_BUILDER', `${what}: ${lastLine(said)}`, {
    hint:
      endpoint === undefined
        ? 'See that Docker (or the cluster) answers, or name a builder in `builder`.'
        : `See that buildkitd listens there: \`docker buildx inspect ${name}\`.`,
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
