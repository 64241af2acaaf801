import type { BuildPlan } from './build-args.ts'

/** A build that pushes one name for each registry, and the names that are put on the image afterwards. */
export interface NamedPush {
  readonly plan: BuildPlan
  /** Full references that the builder pushes, one for each registry. */
  readonly first: readonly string[]
  readonly later: readonly string[]
}

/**
 * BuildKit pushes the names of an output one after the other, about seven requests each. So it pushes one for each
 * registry; the others are one PUT of the manifest each, all at the same time. Registries get an output each, which are
 * pushed at once, unless there are attestations: each output makes its own, and so another image (measured on v0.33.1).
 * A build that has other outputs, too, keeps all names in the builder's hands: buildx gives them to every output alike.
 */
export function namedPush(plan: BuildPlan): NamedPush {
  const [output] = plan.outputs
  const isPushed = output?.startsWith('type=image,push=true,') === true && !/[,"]name=/.test(output)
  if (!isPushed || plan.outputs.length > 1 || plan.tags.length === 0) return { plan, first: plan.tags, later: [] }
  const hosts = plan.tags.map(hostOf)
  const first = plan.tags.filter((_, at) => hosts.indexOf(hosts[at] ?? '') === at)
  const later = plan.tags.filter((_, at) => hosts.indexOf(hosts[at] ?? '') !== at)
  const isPlain = plan.provenance === 'false' && (plan.sbom === undefined || plan.sbom === 'false')
  const outputs = isPlain ? first.map((name) => withNames(output, [name])) : [withNames(output, first)]
  return { plan: { ...plan, tags: [], outputs }, first, later }
}

/** The output with these names in the place of others, as one CSV field. */
export function withNames(output: string, names: readonly string[]): string {
  return `${nameless(output)},${names.length > 1 ? `"name=${names.join(',')}"` : `name=${names[0] ?? ''}`}`
}

/** The output as it is made for a push, but kept by the builder. */
export function unpushed(output: string): string {
  return nameless(output).replace('type=image,push=true', 'type=image,push=false')
}

function nameless(output: string): string {
  return output.replace(/,"name=[^"]*"$|,name=[^,"]*$/, '')
}

/** The registry of a full reference. */
export function hostOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('/')))
}
