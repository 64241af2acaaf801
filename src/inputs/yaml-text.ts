import { parseJson } from '../base/json-value.ts'

/** YAML whose scalars are the text that stands there: `1.10` stays `1.10` and `yes` stays `yes`. */
export type YamlNode = string | readonly YamlNode[] | YamlMapping
export interface YamlMapping {
  readonly [name: string]: YamlNode
}

/** A document, or what is wrong with it, with its line, in one sentence. */
export type YamlRead = { readonly kind: 'read'; readonly node: YamlNode } | { readonly kind: 'broken'; why: string }

/**
 * Reads one YAML document (YAML 1.2's failsafe schema, with `<<` merge keys). The parser is loaded at the first call.
 * @param place name of the file; one that ends in `.json` is read as JSON, which is many times faster
 */
export async function readYaml(text: string, place = ''): Promise<YamlRead> {
  const json = place.endsWith('.json') ? parseJson(text) : undefined
  // Numbers stay the text that they are only in YAML; what is wrong it tells with its line.
  if (isYamlNode(json)) return { kind: 'read', node: json }
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { schema: 'failsafe', merge: true })
  const [problem] = [...document.errors, ...document.warnings]
  // The parser's message goes on with a picture of the place.
  if (problem !== undefined) return { kind: 'broken', why: problem.message.split('\n', 1)[0]?.replace(/:$/, '') ?? '' }
  try {
    // Nothing but remarks is no text at all.
    const node: unknown = document.toJS({ maxAliasCount: 1000 }) ?? ''
    return isYamlNode(node) ? { kind: 'read', node } : { kind: 'broken', why: 'the document holds more than texts' }
  } catch (error) {
    return { kind: 'broken', why: error instanceof Error ? error.message : String(error) }
  }
}

export function isMapping(node: YamlNode | undefined): node is YamlMapping {
  return typeof node === 'object' && !Array.isArray(node)
}

/**
 * A value as the text of an input: lists one value a line, mappings as `NAME=VALUE` lines.
 * @returns what is wrong with it as `{ mistake }`: lists in lists, and list values of several lines
 */
export function inputText(node: YamlNode): string | { readonly mistake: string } {
  if (typeof node === 'string') return node
  const lines = isMapping(node)
    ? Object.entries(node).map(([name, value]) => (typeof value === 'string' ? `${name}=${value}` : value))
    : node
  const texts = lines.filter((line) => typeof line === 'string')
  if (texts.length < lines.length) return { mistake: 'holds lists or mappings of its own' }
  if (texts.some((line) => /[\r\n]/.test(line))) return { mistake: 'holds a value of several lines' }
  return texts.join('\n')
}

function isYamlNode(value: unknown): value is YamlNode {
  if (typeof value === 'string') return true
  if (Array.isArray(value)) return value.every(isYamlNode)
  return typeof value === 'object' && value !== null && Object.values(value).every(isYamlNode)
}
