import { changeIntensity, lockTime, unionChance, wheelAge } from '../../src/layers/change-rate.ts'
import { estimatedSize, HEAVY_PACKAGES } from '../../src/layers/heavy-packages.ts'
import { planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan, packageFingerprint } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { clairvoyantGroups } from './clairvoyant.ts'

export type Lock = readonly ResolvedPackage[]

/** The layers of one image, bottom first; `isChain` when each stands on those below, so that a change redoes all above. */
export interface Layering {
  readonly groups: readonly Lock[]
  readonly isChain: boolean
}

/**
 * Decides the layers of each lock in turn, knowing only locks up to this one. `all` is the whole history, for the one
 * strategy that says how good a plan that never changes could be at best.
 */
export type Strategy = (all: readonly Lock[]) => (lock: Lock) => Layering

/** Default of the action's `max-layer-size`: 1 GB compressed. */
const MAX_LAYER_SIZE = 1e9

/** Strategies by the name that the table shows. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map<string, Strategy>([
  ['one layer', () => (lock) => ({ groups: [lock], isChain: false })],
  ['heavy chain (5 names and closure)', () => heavyChain],
  ['biggest packages apart, 8 layers', () => biggestFirst(8)],
  ['best chain, 8 layers', () => bestChain(8)],
  ['our plan, 8 layers', () => ourPlan(8)],
  ['our plan, 16 layers', () => ourPlan(16)],
  ['our plan, 8 layers, previous plan lost each time', () => forgetfulPlan(8)],
  ['our plan, 16 layers, previous plan lost each time', () => forgetfulPlan(16)],
  ['clairvoyant plan that never changes, 8 layers', (all) => clairvoyant(all, 8)],
  ['one layer per package (bound)', () => (lock) => ({ groups: lock.map((pkg) => [pkg]), isChain: false })],
])

function heavyChain(lock: Lock): Layering {
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

/** As apko does: the biggest packages get layers of their own, all others share the last. */
function biggestFirst(maxLayers: number): (lock: Lock) => Layering {
  return (lock) => {
    const bySize = [...lock].sort((a, b) => estimatedSize(b) - estimatedSize(a) || (a.name < b.name ? -1 : 1))
    const rest = bySize.slice(maxLayers - 1)
    const groups = [...bySize.slice(0, maxLayers - 1).map((pkg) => [pkg]), rest]
    return { groups: groups.filter((group) => group.length > 0), isChain: false }
  }
}

/**
 * The best that RUN after RUN can do: packages in order of change chance per byte, cut where the expected bytes are
 * fewest; clean layers at the bottom stay, everything from the lowest changed one up is cut anew.
 */
function bestChain(maxLayers: number): (lock: Lock) => Layering {
  let before: readonly Lock[] = []
  return (lock) => {
    const now = new Map(lock.map((pkg) => [pkg.name, packageFingerprint(pkg)]))
    const dirty = before.findIndex((group) => group.some((pkg) => now.get(pkg.name) !== packageFingerprint(pkg)))
    const kept = before.slice(0, dirty < 0 ? before.length : dirty)
    const isKept = new Set(kept.flatMap((group) => group.map(({ name }) => name)))
    const rest = lock.filter(({ name }) => !isKept.has(name))
    // With no place left for what is new, the topmost clean layer is opened, too.
    if (rest.length > 0 && kept.length === maxLayers) rest.push(...(kept.pop() ?? []))
    before = [...kept, ...cutChain(rest, maxLayers - kept.length, lockTime(lock))]
    return { groups: before, isChain: true }
  }
}

function cutChain(packages: Lock, count: number, now: number | undefined): readonly Lock[] {
  if (packages.length === 0) return []
  const facts = packages.map((pkg) => {
    const intensity = changeIntensity(wheelAge(pkg.wheel.uploadedAt, now), pkg.dependencies.length)
    return { pkg, size: estimatedSize(pkg), intensity }
  })
  facts.sort((a, b) => a.intensity / a.size - b.intensity / b.size || (a.pkg.name < b.pkg.name ? -1 : 1))
  const sizes = [0]
  const chances = [0]
  let intensity = 0
  for (const fact of facts) {
    sizes.push((sizes.at(-1) ?? 0) + fact.size)
    intensity += fact.intensity
    chances.push(unionChance(intensity))
  }
  // least[end]: expected bytes of the first `end` packages in so many layers; a layer runs when anything up to its end changes.
  let least = sizes.map((size, end) => size * (chances[end] ?? 0))
  const cuts: number[][] = []
  for (let layers = 2; layers <= count; layers++) {
    const cut: number[] = []
    const longer = least.map((alone, end) => {
      let best = alone
      cut[end] = 0
      for (let start = 1; start < end; start++) {
        const cost = (least[start] ?? 0) + ((sizes[end] ?? 0) - (sizes[start] ?? 0)) * (chances[end] ?? 0)
        if (cost >= best) continue
        best = cost
        cut[end] = start
      }
      return best
    })
    cuts.push(cut)
    least = longer
  }
  const groups: Lock[] = []
  let end = facts.length
  for (const cut of cuts.reverse()) {
    const start = cut[end] ?? 0
    if (start === 0) continue
    groups.unshift(facts.slice(start, end).map(({ pkg }) => pkg))
    end = start
  }
  return [facts.slice(0, end).map(({ pkg }) => pkg), ...groups]
}

function ourPlan(maxLayers: number): (lock: Lock) => Layering {
  let text: string | undefined
  return (lock) => {
    const previous = text === undefined ? undefined : decodePlan(text)
    const plan = planLayers(lock, { maxLayers, maxLayerSize: MAX_LAYER_SIZE, previous })
    // Through the text form, as the label on an image would carry it.
    text = encodePlan(plan)
    return { groups: plan.groups.map((group) => group.packages), isChain: false }
  }
}

function forgetfulPlan(maxLayers: number): (lock: Lock) => Layering {
  return (lock) => {
    const plan = planLayers(lock, { maxLayers, maxLayerSize: MAX_LAYER_SIZE })
    return { groups: plan.groups.map((group) => group.packages), isChain: false }
  }
}

function clairvoyant(all: readonly Lock[], maxLayers: number): (lock: Lock) => Layering {
  const groupOf = clairvoyantGroups(all, maxLayers)
  return (lock) => {
    const groups = Array.from({ length: maxLayers }, (_, at) => lock.filter(({ name }) => groupOf.get(name) === at))
    return { groups: groups.filter((group) => group.length > 0), isChain: false }
  }
}
