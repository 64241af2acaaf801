import type { BuildPlan } from './build-args.ts'

/** A build that pushes one name for each repository, and the names that are put on the image afterwards. */
export interface NamedPush {
  readonly plan: BuildPlan
  /** Full references that the builder pushes, one for each repository. */
  readonly first: readonly string[]
  readonly later: readonly string[]
}

/**
 * BuildKit pushes the names of an output one after the other, about seven requests each, but several outputs at once. So
 * each repository gets an output of its own with one name; the others are one PUT of the manifest each. A build that has
 * other outputs, too, keeps all names in the builder's hands: buildx gives them to every output alike.
 */
export function namedPush(plan: BuildPlan): NamedPush {
  const [output] = plan.outputs
  const isPushed = output?.startsWith('type=image,push=true,') === true && !/[,"]name=/.test(output)
  if (!isPushed || plan.outputs.length > 1 || plan.tags.length === 0) return { plan, first: plan.tags, later: [] }
  const repositories = new Set<string>()
  const isFirst = plan.tags.map((tag) => {
    const repository = repositoryOf(tag)
    if (repositories.has(repository)) return false
    repositories.add(repository)
    return true
  })
  const first = plan.tags.filter((_, at) => isFirst[at])
  const later = plan.tags.filter((_, at) => !isFirst[at])
  return { plan: { ...plan, tags: [], outputs: first.map((name) => `${output},name=${name}`) }, first, later }
}

/** A name without its tag. */
export function repositoryOf(name: string): string {
  return name.replace(/:[^:/]*$/, '')
}
