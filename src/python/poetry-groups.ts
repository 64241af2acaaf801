import type { TomlTable } from 'smol-toml'
import type { LockSelection } from './lock-pins.ts'
import { normalizeName } from './package-name.ts'
import { tableOf } from './toml-values.ts'

/** What `poetry install` is to install; normalised names. */
export interface PoetryChoice {
  readonly groups: ReadonlySet<string>
  readonly extras: ReadonlySet<string>
}

/** The groups and extras of a project that a selection means: all groups that aren't optional, unless told otherwise. */
export function poetryChoice(project: TomlTable, selection: LockSelection): PoetryChoice | { readonly reason: string } {
  const poetry = tableOf(tableOf(project.tool).poetry)
  const own = Object.entries(tableOf(poetry.group))
  const optional = new Set(
    own.flatMap(([name, group]) => (tableOf(group).optional === true ? [normalizeName(name)] : [])),
  )
  const old = poetry['dev-dependencies'] === undefined ? [] : ['dev']
  const all = ['main', ...old, ...own.map(([name]) => name), ...Object.keys(tableOf(project['dependency-groups']))].map(
    normalizeName,
  )
  const named = [...selection.with, ...selection.without, ...(selection.only ?? [])].map(normalizeName)
  // `--no-dev` of old files holds where there is no such group, too.
  const unknown = named.find((name) => !all.includes(name) && name !== 'dev')
  if (unknown !== undefined) return { reason: `the project has no group ${unknown}` }
  const usual = [...all.filter((name) => !optional.has(name)), ...selection.with.map(normalizeName)]
  const without = selection.without.map(normalizeName)
  const known = [
    ...Object.keys(tableOf(poetry.extras)),
    ...Object.keys(tableOf(tableOf(project.project)['optional-dependencies'])),
  ]
  const extras = (selection.extras === 'all' ? known : selection.extras).map(normalizeName)
  const stranger = extras.find((name) => !known.map(normalizeName).includes(name))
  if (stranger !== undefined) return { reason: `the project has no extra ${stranger}` }
  return {
    groups: new Set(selection.only?.map(normalizeName) ?? usual.filter((name) => !without.includes(name))),
    extras: new Set(extras),
  }
}
