import type { FoundBuilder } from '../buildx/builder.ts'
import { cacheCautions } from '../buildx/cache-defaults.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { type PublishPlan, planPublish } from '../buildx/publish-plan.ts'
import type { CacheCall } from '../buildx/run-publish.ts'
import { type TidyCacheResult, tidyCache } from '../buildx/tidy-cache.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs, CacheChoice } from '../inputs/build-inputs.ts'
import { formatRepository, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { ReportCache } from '../report/report.ts'
import { cachePermission } from '../stores/cache-permission.ts'
import { readTrustContext } from '../stores/trust-context.ts'
import { prepareImports } from './cache-imports.ts'
import { cacheOwners } from './cache-owners.ts'
import { cacheScope } from './cache-scope.ts'
import { type PublishMemory, recallPublish } from './publish-memory.ts'

/** A publish plan for this run, and what was found out for it. */
export interface PreparedPublish extends PublishPlan {
  readonly memory: PublishMemory
  /** Caches that are left out or changed, and why. */
  readonly rows: readonly ReportCache[]
}

/** Decides what is pushed and exported, and how, and says what is known to break. Never fails. */
export async function publishPlan(
  inputs: BuildInputs,
  found: FoundBuilder,
  deps: Pick<Deps, 'registry' | 'store' | 'env' | 'host' | 'lateExports'>,
): Promise<PreparedPublish> {
  const [tag] = inputs.tags
  const { builder } = found
  const memory = await recallPublish(inputs, found, deps.store)
  const owners = cacheOwners(readTrustContext(deps.env), inputs.cacheWrite)
  const permission = cachePermission(deps.env.ACTIONS_CACHE_MODE ?? '', deps.env.ACTIONS_RUNTIME_TOKEN ?? '')
  const given = options(inputs.cacheTo)
  const allowed = given === 'auto' ? given : given.filter(({ type }) => type !== 'gha' || permission.write === true)
  const plan = planPublish({
    wish: inputs.publish,
    push: inputs.push,
    driver: builder.driver,
    buildkit: builder.buildkit,
    hasPostStep: deps.lateExports !== undefined,
    history: memory.history,
    cacheFrom: options(inputs.cacheFrom),
    cacheTo: allowed,
    repository: tag === undefined ? undefined : formatRepository(tag),
    repositories: [...new Set(inputs.tags.map(formatRepository))],
    scope: cacheScope(inputs),
    owners,
    compression: inputs.compression,
  })
  for (const caution of cacheCautions(plan.cacheTo)) deps.host.info(caution)
  const imports = await prepareImports(plan.cacheFrom, { registry: deps.registry, permission })
  const rows = [...imports.rows]
  if (allowed !== given && given !== 'auto' && allowed.length < given.length && permission.write !== true)
    rows.push({ what: 'export gha', outcome: 'skipped', detail: permission.write })
  if (given === 'auto' && inputs.push && owners.refused !== undefined)
    rows.push({ what: 'cache export', outcome: 'skipped', detail: owners.refused })
  return { ...plan, cacheFrom: imports.cacheFrom, memory, rows }
}

/**
 * Tidies every registry cache that was exported. A cache that can't be tidied works as it would have without us, so
 * nothing here fails.
 */
export async function tidyCaches(
  plan: PublishPlan,
  { timeline, cache }: { readonly timeline: BuildTimeline; readonly cache: CacheCall },
  registry: Registry,
): Promise<readonly ReportCache[]> {
  if (cache.kind === 'failed') return [{ what: 'cache export', outcome: 'failed', detail: cache.reason }]
  if (cache.kind === 'skipped') return [{ what: 'cache export', outcome: 'skipped', detail: cache.reason }]
  if (cache.kind === 'late')
    return [{ what: 'cache export', outcome: 'ok', detail: 'goes on; the post step waits for it' }]
  const failed = timeline.cacheExports.find(({ error }) => error !== undefined)
  if (failed?.error !== undefined) return [{ what: 'cache export', outcome: 'failed', detail: failed.error }]
  return await tidyExports(
    plan.cacheTo.map(({ type, attributes }) => ({ type, ref: attributes.get('ref') ?? '' })),
    registry,
  )
}

/** Tidies what was exported, all at the same time. */
export async function tidyExports(
  exports: readonly { readonly type: string; readonly ref: string }[],
  registry: Registry,
): Promise<readonly ReportCache[]> {
  return await Promise.all(
    exports.map(async ({ type, ref }): Promise<ReportCache> => {
      const what = `export ${type} ${ref}`.trim()
      const reference = type === 'registry' ? parseReference(ref) : undefined
      if (reference === undefined)
        return { what, outcome: 'ok', detail: 'exported; only registry caches can be tidied' }
      if (typeof reference === 'string') return { what, outcome: 'left', detail: `${ref} ${reference}` }
      return { what, ...describe(await tidyCache(registry, { ...reference, tag: reference.tag ?? 'latest' })) }
    }),
  )
}

function describe(result: TidyCacheResult): Pick<ReportCache, 'outcome' | 'detail'> {
  if (result.kind === 'left') return { outcome: 'left', detail: `exported; not tidied: ${result.reason}` }
  if (result.kind === 'clean') return { outcome: 'ok', detail: 'exported; nothing to tidy' }
  return {
    outcome: 'ok',
    detail: `exported; ${result.dropped} dangling records of ${result.dropped + result.kept} dropped`,
  }
}

function options(choice: CacheChoice): 'auto' | Extract<CacheChoice, { kind: 'given' }>['options'] {
  if (choice.kind === 'given') return choice.options
  return choice.kind === 'off' ? [] : 'auto'
}
