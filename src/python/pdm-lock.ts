import type { TomlTable } from 'smol-toml'
import {
  entrySource,
  failedPins,
  type LockEntry,
  type LockPins,
  type LockSelection,
  type LockTexts,
  pinEntries,
  sha256Of,
} from './lock-pins.ts'
import { evaluateMarker } from './markers.ts'
import { normalizeName } from './package-name.ts'
import { isTable, listOf, readToml, tableOf } from './toml-values.ts'
import type { WheelTarget } from './wheel-tags.ts'

/**
 * Reads pdm.lock (lock_version 4.4 and newer, with the `inherit_metadata` strategy that is pdm's default) as `pdm sync`
 * does: each package notes its groups and its marker.
 * @param target with the exact Python version: markers may ask for it.
 */
export function readPdmLock(texts: LockTexts, selection: LockSelection, target: WheelTarget): LockPins {
  const [lock, project] = [readToml(texts.lock), readToml(texts.project)]
  if (lock === undefined || project === undefined) return failedPins('pdm.lock or pyproject.toml is no TOML')
  const { lock_version: format, strategy } = tableOf(lock.metadata)
  if (typeof format !== 'string' || !/^4\.[4-9]/.test(format))
    return failedPins(`pdm.lock has the format ${JSON.stringify(format)}; 4.4 and newer are read`)
  if (!listOf(strategy).includes('inherit_metadata'))
    return failedPins('pdm.lock does not note the groups of its packages (strategy inherit_metadata)')
  const groups = pdmGroups(project, selection)
  const wanted: LockEntry[] = []
  for (const table of listOf(lock.package)) {
    if (!isTable(table) || typeof table.name !== 'string' || typeof table.version !== 'string') continue
    const own = listOf(table.groups).map((group) => normalizeName(String(group)))
    if (!own.some((group) => groups.has(group))) continue
    const holds = typeof table.marker === 'string' ? evaluateMarker(table.marker, target) : true
    if (holds === undefined)
      return failedPins(`the marker of ${table.name} in pdm.lock can't be told beforehand: ${String(table.marker)}`)
    if (!holds) continue
    const hashes = listOf(table.files).flatMap((file) => sha256Of(isTable(file) ? file.hash : undefined) ?? [])
    wanted.push({
      name: normalizeName(table.name),
      version: table.version,
      hashes,
      source: entrySource(table, 'url', 'a URL'),
    })
  }
  const [index, ...others] = pdmIndexes(project)
  const pins = pinEntries(wanted)
  // pdm asks all of its sources for every package.
  return pins.kind === 'failed' ? pins : { ...pins, indexes: [index, ...others] }
}

/** `default` and the development groups, unless told otherwise. Extras are groups as well. */
function pdmGroups(project: TomlTable, { with: more, without, only, extras }: LockSelection): ReadonlySet<string> {
  const pdm = tableOf(tableOf(project.tool).pdm)
  const dev = [...Object.keys(tableOf(pdm['dev-dependencies'])), ...Object.keys(tableOf(project['dependency-groups']))]
  const optional = Object.keys(tableOf(tableOf(project.project)['optional-dependencies']))
  const usual = only ?? ['default', ...dev, ...more, ...(extras === 'all' ? optional : extras)]
  const left = new Set(without.flatMap((name) => (name === 'dev' ? ['dev', ...dev] : [name])).map(normalizeName))
  return new Set(usual.map(normalizeName).filter((name) => !left.has(name)))
}

/** Those of `[[tool.pdm.source]]`; one that is named `pypi` takes the default's place. */
function pdmIndexes(project: TomlTable): readonly (string | undefined)[] {
  const sources = listOf(tableOf(tableOf(project.tool).pdm).source).filter(isTable)
  const own = sources.flatMap(({ url }) => (typeof url === 'string' ? [url] : []))
  return sources.some(({ name }) => name === 'pypi') ? own : [undefined, ...own]
}
