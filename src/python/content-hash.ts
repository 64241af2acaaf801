import type { TomlTable, TomlValue } from 'smol-toml'
import { digestOf, hexOf } from '../base/digest.ts'
import { tableOf } from './toml-values.ts'

/** As smol-toml gives it, with null for what a tool notes as absent. */
type Value = TomlValue | null | readonly Value[] | { readonly [name: string]: Value }

/**
 * The hashes by which poetry tells that poetry.lock fits pyproject.toml (`metadata.content-hash`, Locker of poetry 1.1 to
 * 2.x): of the sections that decide a resolution. Versions before 2.2 knew no `dependency-groups`.
 */
export function poetryContentHashes({ project, tool, 'dependency-groups': groups }: TomlTable): readonly string[] {
  const own = present(tableOf(project), ['requires-python', 'dependencies', 'optional-dependencies'])
  const poetry = tableOf(tableOf(tool).poetry)
  const keys = ['dependencies', 'source', 'extras', 'dev-dependencies']
  return [tableOf(groups), {}].map((groups) => {
    const isLegacy = Object.keys(own).length === 0 && Object.keys(groups).length === 0
    const absent = isLegacy ? Object.fromEntries(keys.map((key) => [key, null])) : {}
    const relevant = { ...absent, ...present(poetry, [...keys, 'group']) }
    const content: Record<string, Value> = isLegacy ? relevant : { tool: { poetry: relevant } }
    if (Object.keys(own).length > 0) content.project = own
    if (Object.keys(groups).length > 0) content['dependency-groups'] = groups
    return hexOf(digestOf(pythonJson(content, ', ', ': ')))
  })
}

/**
 * The hash by which pipenv tells that Pipfile.lock fits Pipfile (`_meta.hash`, plette's Pipfile.get_hash).
 * @param sources those of the lock, where the Pipfile names none: pipenv then takes the default index.
 */
export function pipfileHash(pipfile: TomlTable, sources: readonly Value[]): string {
  const { source, requires, packages, 'dev-packages': develop } = pipfile
  const content: Record<string, Value> = {
    ...present(pipfile, categoriesOf(pipfile)),
    _meta: { sources: source ?? sources, requires: requires ?? {} },
    default: packages ?? {},
    develop: develop ?? {},
  }
  return hexOf(digestOf(pythonJson(content, ',', ':')))
}

/** Sections with packages of the user's own naming. */
function categoriesOf(pipfile: TomlTable): readonly string[] {
  const known = ['source', 'packages', 'dev-packages', 'requires', 'scripts', 'pipfile', 'pipenv', 'default', 'develop']
  return Object.keys(pipfile).filter((name) => !known.includes(name))
}

function present(table: TomlTable, keys: readonly string[]): TomlTable {
  return Object.fromEntries(Object.entries(table).filter(([key]) => keys.includes(key)))
}

/** What Python's `json.dumps` writes with sorted keys. */
function pythonJson(value: Value, comma: string, colon: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item, comma, colon)).join(comma)}]`
  if (typeof value === 'string') return ascii(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${ascii(key)}${colon}${pythonJson(item, comma, colon)}`).join(comma)}}`
}

function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
