import { isJsonList, isJsonRecord, parseJson, textField, textList } from '../base/json-value.ts'
import { removeBuilder } from '../buildx/make-builder.ts'
import type { BuilderWorld, MadeBuilder } from '../deps.ts'
import type { Exec } from '../exec/exec.ts'

/** Name of the state that carries builders of this run from the main step to the post step. */
export const BUILDERS_STATE = 'builders'

/**
 * Builders that a run makes, and how buildx gets here.
 * @param env `RUNNER_TOOL_CACHE`: only a runner has a place for tools. `IMAGE_CACHE_BUILDX_MIRROR`: where releases lie
 */
export function builderWorld(
  made: MadeBuilder[],
  env: Readonly<Record<string, string | undefined>>,
  onMade: (made: readonly MadeBuilder[]) => void = () => undefined,
): BuilderWorld {
  return {
    removeLater: (builder) => {
      made.push(builder)
      onMade(made)
    },
    installBuildx: env.RUNNER_TOOL_CACHE
      ? async (version) => {
          const { installBuildx } = await import('../buildx/install-buildx.ts')
          return await installBuildx(version, env.IMAGE_CACHE_BUILDX_MIRROR || undefined)
        }
      : undefined,
  }
}

/** Removes builders; answers a sentence for each that stayed. */
export async function removeBuilders(made: readonly MadeBuilder[], exec: Exec): Promise<readonly string[]> {
  const said = await Promise.all(made.map(({ name, buildx }) => removeBuilder(name, { exec, buildx })))
  return said.flatMap((why, at) => (why === undefined ? [] : [`builder ${made[at]?.name} was not removed: ${why}`]))
}

export function encodeBuilders(made: readonly MadeBuilder[]): string {
  return JSON.stringify(made)
}

/** Reads what the main step left; anything else counts as nothing. */
export function decodeBuilders(text: string): readonly MadeBuilder[] {
  const value = parseJson(text)
  return (isJsonList(value) ? value : []).flatMap((entry) => {
    if (!isJsonRecord(entry) || !isJsonRecord(entry.buildx)) return []
    const [name, command] = [textField(entry, 'name'), textField(entry.buildx, 'command')]
    if (name === undefined || command === undefined) return []
    return [{ name, buildx: { command, prefix: textList(entry.buildx.prefix) } }]
  })
}
