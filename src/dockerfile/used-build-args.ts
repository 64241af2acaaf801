import type { BuildOptions, Dockerfile, Instruction } from './dockerfile.ts'
import { dockerfileSyntax } from './dockerfile-syntax.ts'
import { nameValues, splitInstruction } from './instruction-words.ts'
import { resolveStages } from './stage-graph.ts'
import { expandWord } from './word-expansion.ts'

/** Arguments that steer the frontend and need no declaration (Dockerfile reference, "BuildKit built-in build args"). */
const STEERING = /^BUILDKIT_/
/** One of them that says where a cache goes, nothing of the image. */
const HARMLESS = new Set(['BUILDKIT_INLINE_CACHE'])

/**
 * Names of those given build arguments that can change the image: declared in a stage that the target needs, or above
 * the first FROM and used by the base of such a stage. All of them, where the file is read by another frontend.
 * @returns sorted
 */
export function usedBuildArgs(dockerfile: Dockerfile, options: BuildOptions): readonly string[] {
  const given = Object.keys(options.buildArgs ?? {}).sort()
  if (dockerfileSyntax(dockerfile.directives).kind === 'foreign') return given
  const { stages, reachable } = resolveStages(dockerfile, options)
  const used = new Set<string>()
  for (const index of reachable) {
    const stage = stages[index]?.stage
    if (stage === undefined) continue
    for (const instruction of stage.instructions) for (const name of argNames(instruction, dockerfile)) used.add(name)
    for (const text of [stage.base, stage.platform ?? ''])
      for (const name of references(text, dockerfile)) used.add(name)
  }
  // A global argument's default may name others above it.
  for (const global of dockerfile.globalArgs.toReversed()) {
    const pairs = nameValues('ARG', global.rest, dockerfile.escapeChar)
    for (const { name, value = '' } of typeof pairs === 'string' ? [] : pairs.toReversed()) {
      if (used.has(name)) for (const other of references(value, dockerfile)) used.add(other)
    }
  }
  return given.filter((name) => used.has(name) || (STEERING.test(name) && !HARMLESS.has(name)))
}

function argNames({ keyword, rest }: Pick<Instruction, 'keyword' | 'rest'>, dockerfile: Dockerfile): readonly string[] {
  if (keyword === 'ONBUILD') {
    const inner = splitInstruction(rest, dockerfile.escapeChar)
    return argNames({ keyword: inner.keyword.toUpperCase(), rest: inner.rest }, dockerfile)
  }
  const pairs = keyword === 'ARG' ? nameValues('ARG', rest, dockerfile.escapeChar) : []
  return typeof pairs === 'string' ? [] : pairs.map(({ name }) => name)
}

function references(text: string, { escapeChar }: Dockerfile): readonly string[] {
  const names: string[] = []
  try {
    expandWord(text, {
      escapeChar,
      lookup: (name) => {
        names.push(name)
        // A value, so that `${x:?word}` is no mistake here.
        return 'x'
      },
    })
  } catch {
    // A text that can't be expanded ends the build elsewhere.
  }
  return names
}
