import { parse, type TomlTable, type TomlValue } from 'smol-toml'

/** A file's tables; undefined where it is no TOML. */
export function readToml(text: string): TomlTable | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

export function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** The table, or one without entries. */
export function tableOf(value: TomlValue | undefined): TomlTable {
  return isTable(value) ? value : {}
}

/** The list, or one without entries. */
export function listOf(value: TomlValue | undefined): readonly TomlValue[] {
  return Array.isArray(value) ? value : []
}

/** The texts of a list; undefined when it is none, or holds something else. */
export function textsOf(value: TomlValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const texts = value.filter((item) => typeof item === 'string')
  return texts.length === value.length ? texts : undefined
}
