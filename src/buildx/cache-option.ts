import { splitFields } from './option-fields.ts'

/** One `cache-from` or `cache-to` entry as buildx takes it: a type and its attributes, in the order given. */
export interface CacheOption {
  readonly type: string
  readonly attributes: ReadonlyMap<string, string>
}

/**
 * Reads an entry such as `type=registry,ref=host/app:cache,mode=min`, or a bare reference (short for a registry cache).
 * @returns what is wrong with it when it can't be read.
 */
export function parseCacheOption(text: string): CacheOption | string {
  if (!text.includes('=')) return { type: 'registry', attributes: new Map([['ref', text]]) }
  const fields = splitFields(text)
  if (typeof fields === 'string') return fields
  const type = fields.get('type')
  if (type === undefined || type === '') return 'has no type, such as type=registry'
  const attributes = new Map([...fields].filter(([name]) => name !== 'type'))
  if (type === 'registry' && !attributes.get('ref')) return 'has no ref, which a registry cache needs'
  return { type, attributes }
}

export function formatCacheOption(option: CacheOption): string {
  const fields = [['type', option.type], ...option.attributes]
  return fields.map(([name, value]) => quote(`${name}=${value}`)).join(',')
}

/** The entry with attributes added where it has none of that name. */
export function withDefaults(option: CacheOption, defaults: Readonly<Record<string, string>>): CacheOption {
  return { type: option.type, attributes: new Map([...Object.entries(defaults), ...option.attributes]) }
}

function quote(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
