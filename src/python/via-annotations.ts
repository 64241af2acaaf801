import { normalizeName } from './package-name.ts'

/**
 * Dependency edges out of a compiled requirements file with one-line annotations (`idna==3.10  # via anyio, httpx`):
 * lock files of PEP 751 needn't hold them.
 * @returns direct dependencies by package, both ends normalised and sorted.
 */
export function readViaAnnotations(text: string): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, name, parents] =
      /^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?\s*==\S+.*?#\s*via\s+(.+)$/i.exec(line.trim()) ?? []
    if (name === undefined || parents === undefined) continue
    for (const parent of parents.split(',').map((part) => part.trim())) {
      // `-r file` and `-c file` are not packages.
      if (!/^[a-z0-9][a-z0-9._-]*$/i.test(parent)) continue
      const known = edges.get(normalizeName(parent)) ?? new Set()
      edges.set(normalizeName(parent), known.add(normalizeName(name)))
    }
  }
  return new Map([...edges].map(([name, found]) => [name, [...found].sort()]))
}
