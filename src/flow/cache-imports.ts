import { setTimeout as pause } from 'node:timers/promises'
import type { CacheOption } from '../buildx/cache-option.ts'
import { copyTidied, type TidyCopyResult } from '../buildx/tidy-cache.ts'
import { parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { ReportCache } from '../report/report.ts'
import type { CachePermission } from '../stores/cache-permission.ts'

/** Caches as they are imported in fact, and what is to be said of it. */
export interface PreparedImports {
  readonly cacheFrom: readonly CacheOption[]
  readonly rows: readonly ReportCache[]
}

/** Milliseconds after which a registry that doesn't answer is left out: the builder would wait for it much longer. */
const LIMIT = 10_000

/**
 * Looks at the caches before the builder does. One with dangling records, as others write them, is imported as a tidied
 * copy, so that the first build with it gains already; one that doesn't answer is left out, since the builder can't
 * begin before it has it.
 */
export async function prepareImports(
  options: readonly CacheOption[],
  { registry, permission }: { readonly registry: Registry; readonly permission: CachePermission },
): Promise<PreparedImports> {
  const prepared = await Promise.all(
    options.map(async (option): Promise<{ readonly option: CacheOption | undefined; readonly row?: ReportCache }> => {
      const what =
        `import ${option.type} ${option.attributes.get('ref') ?? option.attributes.get('scope') ?? ''}`.trim()
      if (option.type === 'gha' && permission.read !== true)
        return { option: undefined, row: { what, outcome: 'skipped', detail: permission.read } }
      const text = option.attributes.get('ref')
      const reference = option.type === 'registry' && text !== undefined ? parseReference(text) : 'no registry cache'
      if (typeof reference === 'string') return { option }
      const result = await withinLimit(copyTidied(registry, reference))
      if (result === undefined) {
        const detail = `left out: its registry did not answer within ${LIMIT / 1000} s`
        return { option: undefined, row: { what, outcome: 'unavailable', detail } }
      }
      if (result.kind !== 'copied') return { option }
      const copy = `${reference.registry}/${reference.path}@${result.digest}`
      const detail = `imported as a copy without ${result.dropped} dangling records`
      return {
        option: { type: option.type, attributes: new Map([...option.attributes, ['ref', copy]]) },
        row: { what, outcome: 'ok', detail },
      }
    }),
  )
  return {
    cacheFrom: prepared.flatMap(({ option }) => option ?? []),
    rows: prepared.flatMap(({ row }) => row ?? []),
  }
}

async function withinLimit(work: Promise<TidyCopyResult>): Promise<TidyCopyResult | undefined> {
  const over = new AbortController()
  const late = pause(LIMIT, undefined, { signal: over.signal }).catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
