import type { BakedTarget } from '../bake.ts'

/** Values of the bake action's outputs by name. */
export function bakeOutputs(targets: readonly BakedTarget[]): ReadonlyMap<string, string> {
  const each = (name: string): readonly (readonly [string, string])[] =>
    targets.map((target) => [target.name, target.result.outputs.get(name) ?? ''] as const)
  const metadata = each('metadata').map(([name, text]) => [name, text === '' ? {} : JSON.parse(text)] as const)
  const built = each('skipped').flatMap(([name, skipped]) => (skipped === 'true' ? [] : [name]))
  return new Map([
    ['metadata', JSON.stringify(Object.fromEntries(metadata), null, 2)],
    ['images', JSON.stringify(Object.fromEntries(each('image')))],
    ['built', JSON.stringify(built)],
    ['skipped', String(built.length === 0)],
  ])
}
