import type { ImageCacheError } from '../base/errors.ts'
import { isBuilderLost } from '../buildx/build-error.ts'
import type { FoundBuilder } from '../buildx/builder.ts'
import type { Deps } from '../deps.ts'

/**
 * The builder that goes on where one was lost during a build, with a warning that says so.
 * @throws the error of the build when that isn't what happened, or no other builder is left
 */
export async function nextBuilder(
  { builder, next }: Pick<FoundBuilder, 'builder' | 'next'>,
  error: ImageCacheError,
  { host }: Pick<Deps, 'host'>,
): Promise<FoundBuilder> {
  const other = isBuilderLost(error) ? await next?.() : undefined
  if (other === undefined) throw error
  const [said] = error.message.split('\n')
  host.warning(`${builder.name} was lost during the build, ${other.builder.name} builds instead: ${said}`)
  return other
}
