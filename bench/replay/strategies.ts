import { HEAVY_PACKAGES } from '../../src/layers/heavy-packages.ts'
import { planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

/** The layers of one image, bottom first; `isChain` when each stands on those below, so that a change redoes all above. */
export interface Layering {
  readonly groups: readonly (readonly ResolvedPackage[])[]
  readonly isChain: boolean
}

/** Decides the layers of each lock in turn, knowing only locks up to this one. */
export type Strategy = () => (lock: readonly ResolvedPackage[]) => Layering

/** Default of the action's `max-layer-size`: 1 GB compressed. */
const MAX_LAYER_SIZE = 1e9

/** Strategies by the name that the table shows. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map([
  ['one layer', () => (lock) => ({ groups: [lock], isChain: false })],
  ['heavy chain (5 names and closure)', () => heavyChain],
  ['our plan, 8 layers', () => ourPlan(8)],
  ['our plan, 16 layers', () => ourPlan(16)],
  ['our plan, 8 layers, previous plan lost each time', () => forgetfulPlan(8)],
  ['our plan, 16 layers, previous plan lost each time', () => forgetfulPlan(16)],
  ['one layer per package (bound)', () => (lock) => ({ groups: lock.map((pkg) => [pkg]), isChain: false })],
])

function heavyChain(lock: readonly ResolvedPackage[]): Layering {
  const byName = new Map(lock.map((pkg) => [pkg.name, pkg]))
  const heavy = new Set<string>()
  const waiting = HEAVY_PACKAGES.filter((name) => byName.has(name))
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (heavy.has(name)) continue
    heavy.add(name)
    waiting.push(...(byName.get(name)?.dependencies ?? []).filter((dependency) => byName.has(dependency)))
  }
  const groups = [lock.filter((pkg) => heavy.has(pkg.name)), lock.filter((pkg) => !heavy.has(pkg.name))]
  return { groups: groups.filter((group) => group.length > 0), isChain: true }
}

function ourPlan(maxLayers: number): (lock: readonly ResolvedPackage[]) => Layering {
  let text: string | undefined
  return (lock) => {
    const previous = text === undefined ? undefined : decodePlan(text)
    const plan = planLayers(lock, { maxLayers, maxLayerSize: MAX_LAYER_SIZE, previous })
    // Through the text form, as the label on an image would carry it.
    text = encodePlan(plan)
    return { groups: plan.groups.map((group) => group.packages), isChain: false }
  }
}

function forgetfulPlan(maxLayers: number): (lock: readonly ResolvedPackage[]) => Layering {
  return (lock) => {
    const plan = planLayers(lock, { maxLayers, maxLayerSize: MAX_LAYER_SIZE })
    return { groups: plan.groups.map((group) => group.packages), isChain: false }
  }
}
