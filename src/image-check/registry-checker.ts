import type { Digest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { platformCheck } from '../registry/image-platforms.ts'
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { CheckAnswer, CheckQuestion, ImageChecker } from './image-check.ts'

type Held =
  | { readonly kind: 'found'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'missing'; readonly reason: string; readonly missingPlatforms: readonly string[] }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * Asks every repository at once. Repositories may hold different images of the same content, by builds that ran at the
 * same time: the first one's counts, and the tags bring it to the others.
 */
export function registryChecker(registry: Registry): ImageChecker {
  return {
    name: 'registry',
    check: async (question) => {
      const held = await Promise.all(question.repositories.map((one) => ask(registry, one, question)))
      return answerOf(held, question)
    },
  }
}

async function ask(registry: Registry, repository: RepositoryName, question: CheckQuestion): Promise<Held> {
  const { version, platforms } = question
  const name = formatRepository(repository)
  try {
    const found = await platformCheck(registry, { ...repository, ...version }, platforms)
    switch (found.kind) {
      case 'found':
        return { kind: 'found', repository, digest: found.digest }
      case 'missing':
        return { kind: 'missing', reason: `not in ${name}`, missingPlatforms: platforms }
      case 'incomplete':
        return {
          kind: 'missing',
          reason: `in ${name} without ${found.missing.join(', ')}`,
          missingPlatforms: found.missing,
        }
    }
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_CANCELLED') throw error
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

function answerOf(held: readonly Held[], { platforms }: CheckQuestion): CheckAnswer {
  const found = held.flatMap((one) => (one.kind === 'found' ? [one] : []))
  const [first] = found
  if (first !== undefined) {
    const holders = found.filter(({ digest }) => digest === first.digest).map(({ repository }) => repository)
    const reason = `in ${holders.map(formatRepository).join(', ')}`
    return { kind: 'found', digest: first.digest, holders, reason }
  }
  const reasonsOf = (kind: 'missing' | 'unknown'): readonly string[] =>
    held.flatMap((one) => (one.kind === kind ? [one.reason] : []))
  const troubles = reasonsOf('unknown')
  if (troubles.length > 0) return { kind: 'unknown', reason: troubles.join('; ') }
  // The repository that lacks the least says most.
  const lacking = held.flatMap((one) => (one.kind === 'missing' ? [one.missingPlatforms] : []))
  const [missingPlatforms = platforms] = [...lacking].sort((a, b) => a.length - b.length)
  return { kind: 'missing', reason: reasonsOf('missing').join('; '), missingPlatforms }
}
