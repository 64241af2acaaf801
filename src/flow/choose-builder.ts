import { randomBytes } from 'node:crypto'
import { digestOf, hexOf } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { type BuildxCommand, type FoundBuilder, findBuilder, findBuildx, noBuildx } from '../buildx/builder.ts'
import { type BuilderPlan, makeBuilder } from '../buildx/make-builder.ts'
import { rankEndpoints } from '../buildx/rank-endpoints.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { imageSubject } from './image-subject.ts'

type BuilderDeps = Pick<Deps, 'exec' | 'signal' | 'host' | 'env' | 'builders'>

/**
 * The builder of this run: the one that is named, the fitting one of several remote ones, the current one, or one that
 * is made and removed at the end.
 * @throws ImageCacheError E_BUILDER when none can be had
 */
export async function chooseBuilder(inputs: BuildInputs, deps: BuilderDeps): Promise<FoundBuilder> {
  const { endpoints, driver } = inputs
  if (endpoints.length > 0) {
    return await firstAlive(inputs, rankEndpoints(endpoints, routingKey(inputs)), await buildxOf(inputs, deps), deps)
  }
  if (driver !== undefined) return await make(ownBuilder(inputs, driver), await buildxOf(inputs, deps), deps)
  const found = await currentBuilder(inputs, deps)
  if (inputs.builder !== undefined || !lacks(found, inputs) || deps.env.BUILDX_BUILDER) return found
  try {
    return await make(ownBuilder(inputs, 'docker-container'), found.buildx, deps)
  } catch (error) {
    deps.host.warning(`${messageOf(error)}; ${found.builder.name} builds, which can't export a cache`)
    return found
  }
}

/** Platforms are part of it, so that each architecture may have its own machines' caches. */
function routingKey(inputs: BuildInputs): string {
  const { repositories, platforms, target } = imageSubject(inputs)
  return JSON.stringify([repositories, platforms, target ?? ''])
}

async function currentBuilder(inputs: BuildInputs, deps: BuilderDeps): Promise<FoundBuilder> {
  try {
    return await findBuilder(deps.exec, inputs.builder)
  } catch (error) {
    const install = deps.builders?.installBuildx
    if (install === undefined || (await findBuildx(deps.exec)) !== undefined) throw error
    return await findBuilder(deps.exec, inputs.builder, [await install(inputs.buildxVersion)])
  }
}

/**
 * How buildx is called; it is installed where there is none and that is possible.
 * @throws ImageCacheError E_BUILDER when it can't be had
 */
export async function buildxOf(
  inputs: Pick<BuildInputs, 'buildxVersion'>,
  { exec, builders }: Pick<BuilderDeps, 'exec' | 'builders'>,
): Promise<BuildxCommand> {
  const found = (await findBuildx(exec)) ?? (await builders?.installBuildx?.(inputs.buildxVersion))
  if (found === undefined) throw noBuildx()
  return found
}

/** Docker's own builder without its containerd store can't do what a push with a cache or several platforms need. */
function lacks({ builder }: FoundBuilder, { push, cacheTo, platforms }: BuildInputs): boolean {
  if (builder.driver !== 'docker' || builder.cacheExport !== false) return false
  return (push && cacheTo.kind !== 'off') || platforms.length > 1
}

function ownBuilder(inputs: BuildInputs, driver: 'docker-container' | 'kubernetes'): BuilderPlan {
  return {
    name: `image-cache-${randomBytes(6).toString('hex')}`,
    driver,
    driverOpts: inputs.driverOpts,
    image: inputs.buildkitImage,
    endpoint: undefined,
    allow: inputs.allow,
  }
}

async function make(plan: BuilderPlan, buildx: BuildxCommand, deps: BuilderDeps): Promise<FoundBuilder> {
  return await makeBuilder(plan, { ...deps, buildx }, () => deps.builders?.removeLater({ name: plan.name, buildx }))
}

/** The first of the ranked endpoints that answers; the others stand by for when it is lost. */
async function firstAlive(
  inputs: BuildInputs,
  ranked: readonly string[],
  buildx: BuildxCommand,
  deps: BuilderDeps,
): Promise<FoundBuilder> {
  const said: string[] = []
  for (const [at, endpoint] of ranked.entries()) {
    try {
      const found = await make(remoteBuilder(inputs, endpoint), buildx, deps)
      const left = ranked.slice(at + 1)
      const next = left.length === 0 ? undefined : () => firstAlive(inputs, left, buildx, deps)
      for (const message of said) deps.host.warning(`${message}; ${endpoint} builds instead`)
      return { ...found, next }
    } catch (error) {
      if (!(error instanceof ImageCacheError) || error.code !== 'E_BUILDER') throw error
      said.push(error.message)
    }
  }
  throw new ImageCacheError('E_BUILDER', `no builder of endpoints answers: ${said.join('; ')}`, {
    hint: 'See that buildkitd listens there, and that this runner may connect.',
  })
}

/** Its name is its own for each run: two jobs of one machine may run at the same time, each removes what it made. */
function remoteBuilder({ driverOpts }: BuildInputs, endpoint: string): BuilderPlan {
  const place = hexOf(digestOf(endpoint)).slice(0, 8)
  const name = `image-cache-${place}-${randomBytes(4).toString('hex')}`
  return { name, driver: 'remote', driverOpts, image: undefined, endpoint, allow: [] }
}
