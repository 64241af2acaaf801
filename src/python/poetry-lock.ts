import type { TomlTable, TomlValue } from 'smol-toml'
import { poetryContentHashes } from './content-hash.ts'
import {
  failedPins,
  type LockEntry,
  type LockPins,
  type LockSelection,
  type LockSource,
  type LockTexts,
  pinEntries,
  sha256Of,
} from './lock-pins.ts'
import { evaluateMarker } from './markers.ts'
import { normalizeName } from './package-name.ts'
import { poetryChoice } from './poetry-groups.ts'
import { meetsConstraint } from './poetry-version.ts'
import { walkPoetryLock } from './poetry-walk.ts'
import { isTable, listOf, readToml, tableOf } from './toml-values.ts'
import type { WheelTarget } from './wheel-tags.ts'

/** A package of poetry.lock, of one version. */
export interface PoetryPackage {
  /** Normalised. */
  readonly name: string
  readonly version: string
  readonly table: TomlTable
}

/**
 * Reads poetry.lock (lock-version 1.1, 2.0 and 2.1) as `poetry install` does. A lock that doesn't fit pyproject.toml is a
 * failure, as it is for poetry. From 2.1 on each package notes its groups and markers; in older ones the dependencies
 * are followed from pyproject.toml.
 * @param target with the exact Python version: markers may ask for it.
 */
export function readPoetryLock(texts: LockTexts, selection: LockSelection, target: WheelTarget): LockPins {
  const [lock, project] = [readToml(texts.lock), readToml(texts.project)]
  if (lock === undefined || project === undefined) return failedPins('poetry.lock or pyproject.toml is no TOML')
  const { 'lock-version': format, 'content-hash': hash, 'python-versions': pythons, files } = tableOf(lock.metadata)
  if (format !== '1.1' && format !== '2.0' && format !== '2.1')
    return failedPins(`poetry.lock has the format ${JSON.stringify(format)}; 1.1, 2.0 and 2.1 are read`)
  if (texts.isChecked && (typeof hash !== 'string' || !poetryContentHashes(project).includes(hash)))
    return failedPins('poetry.lock does not fit pyproject.toml: poetry would ask for a new one')
  if (typeof pythons === 'string' && meetsConstraint(target.pythonVersion, pythons) !== true)
    return failedPins(`poetry.lock is for Python ${pythons}, the image has ${target.pythonVersion}`)
  if (tableOf(tableOf(project.tool).poetry)['requires-plugins'] !== undefined)
    return failedPins('the project asks for plugins of poetry, which may change what is installed')
  const choice = poetryChoice(project, selection)
  if ('reason' in choice) return failedPins(choice.reason)
  const packages = listOf(lock.package).flatMap((table): readonly PoetryPackage[] => {
    if (!isTable(table) || typeof table.name !== 'string' || typeof table.version !== 'string') return []
    return [{ name: normalizeName(table.name), version: table.version, table }]
  })
  const wanted =
    format === '2.1' ? markedPackages(packages, choice, target) : walkPoetryLock(packages, project, choice, target)
  if (typeof wanted === 'string') return failedPins(wanted)
  return pinEntries(wanted.map((entry) => entryOf(entry, tableOf(files))))
}

function markedPackages(
  packages: readonly PoetryPackage[],
  { groups, extras }: { readonly groups: ReadonlySet<string>; readonly extras: ReadonlySet<string> },
  target: WheelTarget,
): readonly PoetryPackage[] | string {
  const wanted: PoetryPackage[] = []
  for (const entry of packages) {
    const { groups: own, markers } = entry.table
    const of = listOf(own).filter((group) => typeof group === 'string' && groups.has(normalizeName(group)))
    // One marker for all groups, or one for each.
    const answers = of.map((group) => {
      const marker = isTable(markers) ? markers[String(group)] : markers
      return marker === undefined ? true : evaluateMarker(String(marker), target, { extras })
    })
    if (answers.includes(true)) wanted.push(entry)
    else if (answers.includes(undefined))
      return `the marker of ${entry.name} in poetry.lock can't be told beforehand: ${JSON.stringify(markers)}`
  }
  return wanted
}

/** Before 2.0 the files of all packages stand together, by name as written. */
function entryOf({ name, version, table }: PoetryPackage, files: TomlTable): LockEntry {
  const own = table.files ?? Object.entries(files).find(([key]) => normalizeName(key) === name)?.[1]
  const hashes = listOf(own).flatMap((file) => sha256Of(isTable(file) ? file.hash : undefined) ?? [])
  return { name, version, hashes, source: sourceOf(table.source) }
}

function sourceOf(source: TomlValue | undefined): LockSource {
  if (source === undefined) return { kind: 'index', url: undefined }
  const { type, url } = tableOf(source)
  const text = typeof url === 'string' ? url : undefined
  if (type === 'legacy') return { kind: 'index', url: text }
  if (type === 'directory') return { kind: 'elsewhere', folder: text, what: 'a local folder' }
  return { kind: 'elsewhere', folder: undefined, what: type === 'git' ? 'version control' : 'a file or a URL' }
}
