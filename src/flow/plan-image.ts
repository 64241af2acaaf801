import { findBuilder } from '../buildx/builder.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type PlannedDockerfile, planDockerfile } from './plan-dockerfile.ts'
import { readContent } from './read-content.ts'

/**
 * Plans an image for whoever only wants to see the plan. The builder is asked where versions must be resolved, and
 * nothing is built.
 * @throws ImageCacheError when the sources can't be read, or E_BUILDER when a builder is needed and there is none
 */
export async function planImage(asked: BuildInputs, deps: Deps): Promise<PlannedDockerfile> {
  const { inputs, source, content } = await readContent(asked, deps)
  const finding = findBuilder(deps.exec, inputs.builder)
  // A plan of remembered versions needs no builder.
  finding.catch(() => undefined)
  return await planDockerfile(inputs, source, content, finding, deps)
}
