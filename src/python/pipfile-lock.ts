import type { TomlValue } from 'smol-toml'
import { isJsonRecord, type JsonRecord, parseJson, textField, textList } from '../base/json-value.ts'
import { pipfileHash } from './content-hash.ts'
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
import { readToml } from './toml-values.ts'
import type { WheelTarget } from './wheel-tags.ts'

/**
 * Reads Pipfile.lock (pipfile-spec 6) as `pipenv sync` does: the packages of `default`, those of `develop` and of other
 * categories where they are asked for. All of its sources are asked for each package.
 * @param target with the exact Python version: markers may ask for it.
 */
export function readPipfileLock(texts: LockTexts, selection: LockSelection, target: WheelTarget): LockPins {
  const lock = parseJson(texts.lock)
  const meta = isJsonRecord(lock) ? lock._meta : undefined
  if (!isJsonRecord(lock) || !isJsonRecord(meta) || meta['pipfile-spec'] !== 6)
    return failedPins('Pipfile.lock has a format that is not read (pipfile-spec 6 is)')
  const sources = Array.isArray(meta.sources) ? meta.sources.filter(isSource) : []
  if (texts.isChecked && !fits(texts.project, sources, meta.hash))
    return failedPins('Pipfile.lock does not fit Pipfile: pipenv would lock anew, or fail')
  const wantsPython = isJsonRecord(meta.requires) ? textField(meta.requires, 'python_version') : undefined
  if (wantsPython !== undefined && !`${target.pythonVersion}.`.startsWith(`${wantsPython}.`))
    return failedPins(`Pipfile.lock is for Python ${wantsPython}, the image has ${target.pythonVersion}`)
  const urls = sources.map(({ url }) => url)
  if (urls.some((url) => url.includes('$')))
    return failedPins('a source of Pipfile.lock takes a value from the environment')
  const wanted: LockEntry[] = []
  for (const category of selection.only ?? ['default', ...selection.with]) {
    const packages = lock[category]
    if (!isJsonRecord(packages)) return failedPins(`Pipfile.lock has no category ${category}`)
    for (const [name, entry] of Object.entries(packages)) {
      const read = isJsonRecord(entry) ? readEntry(normalizeName(name), entry, target) : `${name} is not understood`
      if (typeof read === 'string') return failedPins(read)
      if (read !== undefined) wanted.push(read)
    }
  }
  const pins = pinEntries(wanted)
  return pins.kind === 'failed' || urls.length === 0 ? pins : { ...pins, indexes: urls }
}

interface Source {
  readonly url: string
  readonly [name: string]: TomlValue
}

function isSource(value: unknown): value is Source {
  return isJsonRecord(value) && typeof value.url === 'string'
}

function fits(pipfile: string, sources: readonly Source[], hash: unknown): boolean {
  const project = readToml(pipfile)
  return project !== undefined && isJsonRecord(hash) && hash.sha256 === pipfileHash(project, sources)
}

/** The package, a sentence that says what is wrong, or undefined when it isn't meant for this target. */
function readEntry(name: string, entry: JsonRecord, target: WheelTarget): LockEntry | string | undefined {
  const marker = textField(entry, 'markers')
  const holds = marker === undefined ? true : evaluateMarker(marker, target)
  if (holds === undefined) return `the marker of ${name} in Pipfile.lock can't be told beforehand: ${marker}`
  if (!holds) return undefined
  const source = entrySource(entry, 'file', 'a file or a URL')
  const version = /^==(\S+)$/.exec(textField(entry, 'version') ?? '')?.[1]
  if (version === undefined && source.kind === 'index') return `${name} has no exact version in Pipfile.lock`
  const hashes = textList(entry.hashes).flatMap((hash) => sha256Of(hash) ?? [])
  return { name, version: version ?? '', hashes, source }
}
