/**
 * Packages of a lock, and how they are spread over layers. All of it is pure: no file, clock or network.
 *
 * @module layers
 */
export type { Libc } from '../base/libc.ts'
export type { ChangeHistory } from '../layers/change-history.ts'
export { type LayerGroup, type LayerPlan, type PlanOptions, planLayers } from '../layers/layer-plan.ts'
export type { LayerPin } from '../layers/pinned-groups.ts'
export { decodePlan, encodePlan, type PreviousPlan } from '../layers/previous-plan.ts'
export type { LibcRange } from '../python/libc-range.ts'
export { type LockFacts, type PylockResult, readPylock, type UnbuiltPackage } from '../python/pylock.ts'
export type { ResolvedPackage } from '../python/resolution.ts'
export type { WheelTarget } from '../python/wheel-tags.ts'
