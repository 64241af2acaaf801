import { digestOf, hexOf } from '../base/digest.ts'
import type { ResolvedPackage } from '../python/resolution.ts'
import { type ChangeHistory, REMEMBERED_CHANGES } from './change-history.ts'
import type { LayerPlan } from './layer-plan.ts'

/** What a plan leaves behind for the next one. */
export interface PreviousPlan {
  /** Packages of each group, bottom layer first: name to fingerprint. */
  readonly groups: readonly ReadonlyMap<string, string>[]
  readonly history: ChangeHistory
}

/** First word of the text form: another number is another form. */
const FORMAT = '1'

/** Eight hex digits that change whenever what is installed for a package may change: its version or its wheels. */
export function packageFingerprint(pkg: ResolvedPackage): string {
  return hexOf(digestOf([pkg.version, ...[...pkg.hashes].sort()].join('\n'))).slice(0, 8)
}

/**
 * A plan as one line of text, for an image label, an annotation or a record:
 * `1;<changes>;<group>;<group>…`, a group being `name=<fingerprint>[.<history in base 36>]` with commas between.
 * @param plan with at most 32 remembered changes, as `planLayers` makes it
 */
export function encodePlan(plan: LayerPlan): string {
  const history = plan.history
  const groups = plan.groups.map((group) =>
    group.packages
      .map((pkg) => {
        const touched = history?.touched.get(pkg.name) ?? 0
        return `${pkg.name}=${packageFingerprint(pkg)}${touched === 0 ? '' : `.${touched.toString(36)}`}`
      })
      .join(','),
  )
  return [FORMAT, String(history?.changes ?? 0), ...groups].join(';')
}

/**
 * Reads a plan of an earlier build, so that the next one leaves its layers alone.
 * @param text as `encodePlan` writes it
 * @returns undefined for anything else: then there is no previous plan
 */
export function decodePlan(text: string): PreviousPlan | undefined {
  const [format, changes, ...parts] = text.split(';')
  if (format !== FORMAT || changes === undefined || !/^\d{1,2}$/.test(changes)) return undefined
  if (Number(changes) > REMEMBERED_CHANGES) return undefined
  const seen = new Set<string>()
  const touched = new Map<string, number>()
  const groups: Map<string, string>[] = []
  for (const part of parts) {
    const group = new Map<string, string>()
    for (const entry of part.split(',')) {
      const [, name, fingerprint, bits] = /^([a-z0-9-]+)=([0-9a-f]{8})(?:\.([0-9a-z]{1,7}))?$/.exec(entry) ?? []
      if (name === undefined || fingerprint === undefined || seen.has(name)) return undefined
      const history = bits === undefined ? 0 : Number.parseInt(bits, 36)
      if (history > 0xffffffff) return undefined
      if (history !== 0) touched.set(name, history)
      seen.add(name)
      group.set(name, fingerprint)
    }
    groups.push(group)
  }
  return { groups, history: { changes: Number(changes), touched } }
}
