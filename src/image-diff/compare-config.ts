import { isJsonRecord } from '../base/json-value.ts'

/** A field of the configuration that two images have different values for. */
export interface ConfigDifference {
  /** `Env`, `architecture`. */
  readonly field: string
  /** As JSON; undefined where the image doesn't set it. */
  readonly a: string | undefined
  readonly b: string | undefined
}

/** Fields beside `config` that decide how an image runs; layers, history and times say how it was made. */
const TOP_FIELDS = ['architecture', 'os', 'os.version', 'os.features', 'variant']

/**
 * Compares what two images set for the containers that start from them (OCI image-spec, config.md): every field of
 * `config`, known or not, and the platform.
 * @param a configuration as parsed JSON.
 */
export function compareConfigs(a: unknown, b: unknown): readonly ConfigDifference[] {
  const [left, right] = [fieldsOf(a), fieldsOf(b)]
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort()
    .filter((field) => left.get(field) !== right.get(field))
    .map((field) => ({ field, a: left.get(field), b: right.get(field) }))
}

function fieldsOf(json: unknown): ReadonlyMap<string, string> {
  const image = isJsonRecord(json) ? json : {}
  const config = isJsonRecord(image.config) ? image.config : {}
  const top = TOP_FIELDS.map((field) => [field, image[field]] as const)
  return new Map(
    [...Object.entries(config), ...top].flatMap(([field, value]) =>
      isUnset(value) ? [] : [[field, JSON.stringify(sorted(value))] as const],
    ),
  )
}

/** Go leaves out what is empty or writes it, as the writer's types want it: both mean the same. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return Array.isArray(value) ? value.length === 0 : isJsonRecord(value) && Object.keys(value).length === 0
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonRecord(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  )
}
