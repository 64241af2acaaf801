import type { FoundBuilder } from '../buildx/builder.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { type PublishPlan, planPublish } from '../buildx/publish-plan.ts'
import { type TidyCacheResult, tidyCache } from '../buildx/tidy-cache.ts'
import type { BuildInputs, CacheChoice } from '../inputs/build-inputs.ts'
import { formatRepository, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { ReportCache } from '../report/report.ts'
import { cacheScope } from './cache-scope.ts'

/** Decides what is pushed and exported, and how. */
export function publishPlan(inputs: BuildInputs, { builder }: FoundBuilder): PublishPlan {
  const [tag] = inputs.tags
  return planPublish({
    push: inputs.push,
    driver: builder.driver,
    buildkit: builder.buildkit,
    cacheFrom: options(inputs.cacheFrom),
    cacheTo: options(inputs.cacheTo),
    repository: tag === undefined ? undefined : formatRepository(tag),
    scope: cacheScope(inputs),
    compression: inputs.compression,
  })
}

/**
 * Tidies every registry cache that was exported. A cache that can't be tidied works as it would have without us, so
 * nothing here fails.
 */
export async function tidyCaches(
  plan: PublishPlan,
  timeline: BuildTimeline,
  registry: Registry,
): Promise<readonly ReportCache[]> {
  const failed = timeline.cacheExports.find(({ error }) => error !== undefined)
  if (failed?.error !== undefined) return [{ what: 'cache export', outcome: 'failed', detail: failed.error }]
  const rows = plan.cacheTo.map(async (option): Promise<ReportCache> => {
    const text = option.attributes.get('ref') ?? ''
    const what = `export ${option.type} ${text}`.trim()
    const reference = option.type === 'registry' ? parseReference(text) : undefined
    if (reference === undefined) return { what, outcome: 'ok', detail: 'exported; only registry caches can be tidied' }
    if (typeof reference === 'string') return { what, outcome: 'left', detail: `${text} ${reference}` }
    return { what, ...describe(await tidyCache(registry, { ...reference, tag: reference.tag ?? 'latest' })) }
  })
  return Promise.all(rows)
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
