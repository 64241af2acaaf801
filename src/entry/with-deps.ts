import type { OpenedRun, Surroundings } from '../cli/command-world.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { removeBuilders } from './made-builders.ts'
import { openDeps } from './open-deps.ts'

/** Opens the real outside world for one run that has no post step, and removes the builders that the run made. */
export async function withDeps<Result>(
  inputs: BuildInputs,
  around: Surroundings,
  run: (opened: OpenedRun) => Promise<Result>,
): Promise<Result> {
  const { deps, saves, made } = openDeps(inputs, around)
  try {
    return await run({ deps, saves })
  } finally {
    for (const trouble of await removeBuilders(made, deps.exec)) around.host.warning(trouble)
  }
}
