import type { TomlTable } from 'smol-toml'
import { normalizeName } from './package-name.ts'
import { isTable, readToml, tableOf, textsOf } from './toml-values.ts'

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

/**
 * Whether poetry and pdm take a project for a package, which they install as well (`package-mode` of poetry,
 * `distribution` of pdm), rather than for an application without one.
 */
export function isPackaged(text: string): boolean {
  const tool = tableOf(readToml(text)?.tool)
  const { distribution, 'package-type': type } = tableOf(tool.pdm)
  return tableOf(tool.poetry)['package-mode'] !== false && distribution !== false && type !== 'application'
}

function projectTable(text: string): TomlTable | undefined {
  const project = readToml(text)?.project
  return isTable(project) ? project : undefined
}
