import { parse, type TomlTable, type TomlValue } from 'smol-toml'
import { normalizeName } from './package-name.ts'

/** What pyproject.toml says of a project by itself (PEP 621). */
export interface ProjectFacts {
  readonly name: string | undefined
  readonly requiresPython: string | undefined
}

/** Reads name and Python of a project; both undefined where the file is no TOML or says neither. */
export function readProject(text: string): ProjectFacts {
  const project = projectTable(text)
  const { name, 'requires-python': requiresPython } = project ?? {}
  return {
    name: typeof name === 'string' ? name : undefined,
    requiresPython: typeof requiresPython === 'string' ? requiresPython : undefined,
  }
}

/**
 * The requirements of a project with the extras that are asked for, as PEP 508 texts.
 * @returns undefined when only a build can tell them: the project says so (`dynamic`), or says nothing.
 */
export function projectDependencies(text: string, extras: readonly string[]): readonly string[] | undefined {
  const project = projectTable(text)
  if (project === undefined) return undefined
  const dynamic = textsOf(project.dynamic) ?? []
  if (dynamic.includes('dependencies') || (extras.length > 0 && dynamic.includes('optional-dependencies'))) {
    return undefined
  }
  const own = project.dependencies === undefined ? [] : textsOf(project.dependencies)
  if (own === undefined) return undefined
  const optional = new Map(
    Object.entries(isTable(project['optional-dependencies']) ? project['optional-dependencies'] : {}).map(
      ([name, needs]) => [normalizeName(name), textsOf(needs) ?? []] as const,
    ),
  )
  return [...own, ...extras.flatMap((extra) => optional.get(normalizeName(extra)) ?? [])]
}

function projectTable(text: string): TomlTable | undefined {
  try {
    const { project } = parse(text)
    return isTable(project) ? project : undefined
  } catch {
    return undefined
  }
}

function textsOf(value: TomlValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = value.filter((item) => typeof item === 'string')
  return texts.length === value.length ? texts : undefined
}

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}
