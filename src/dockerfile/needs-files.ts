import type { BaseImage, BuildOptions, Dockerfile, Instruction } from './dockerfile.ts'
import { installText } from './install-text.ts'
import { resolveStages, stageChain } from './stage-graph.ts'

/**
 * Whether the files of a base image tell something that its stages can't be understood without: which Python it has,
 * where its environment doesn't say so and packages are installed, or what lies in /usr/src, where some image keeps its
 * app and another has nothing.
 * @param base with its name as FROM has it, build arguments filled in
 */
export function needsFiles(
  dockerfile: Dockerfile,
  options: BuildOptions,
  { name, env }: BaseImage & { readonly name: string },
): boolean {
  const graph = resolveStages(dockerfile, options)
  const installs = graph.reachable.filter((stage) => instructionsOf(dockerfile, [stage]).some(isInstall))
  if (installs.length === 0) return false
  const chains = graph.reachable.map((stage) => stageChain(graph, stage))
  const own = chains.filter(([lowest = 0]) => {
    const base = graph.stages[lowest]?.base
    return base?.kind === 'image' && base.reference === name
  })
  if (!env.PYTHON_VERSION && /(?:^|:)\/usr\/local\/bin(?::|$)/.test(env.PATH ?? ''))
    return own.some((chain) => chain.some((stage) => installs.includes(stage)))
  return own.some((chain) => instructionsOf(dockerfile, chain).some(({ rest }) => rest.includes('/usr/src')))
}

function isInstall(instruction: Instruction): boolean {
  return installText(instruction) !== undefined
}

function instructionsOf({ stages }: Dockerfile, chain: readonly number[]): readonly Instruction[] {
  return chain.flatMap((stage) => stages[stage]?.instructions ?? [])
}
