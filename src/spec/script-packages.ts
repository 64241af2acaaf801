import { ImageCacheError, messageOf } from '../base/errors.ts'

/** The block of a script's comments that holds its metadata (PEP 723, "How to teach this": the reference pattern). */
const BLOCK = /^# \/\/\/ script[ \t]*\r?\n((?:#(?: .*)?\r?\n)+)# \/\/\/[ \t]*$/gm

/**
 * The packages that a script names itself (PEP 723).
 * @param path for messages
 * @throws ImageCacheError E_INPUT when the script has no such block, several, or one that is no TOML
 */
export async function scriptPackages(script: string, path: string): Promise<readonly string[]> {
  const fail = (what: string, cause?: unknown): never => {
    throw new ImageCacheError('E_INPUT', `spec: ${path}: ${what}`, { hint: 'See PEP 723 for the form.', cause })
  }
  const blocks = [...script.matchAll(BLOCK)]
  const [block] = blocks
  if (block === undefined) return fail('has no block `# /// script` with dependencies')
  if (blocks.length > 1) return fail('has several blocks `# /// script`')
  const toml = (block[1] ?? '')
    .split(/\r?\n/)
    .map((line) => line.replace(/^# ?/, ''))
    .join('\n')
  const { parse } = await import('smol-toml')
  const read = (): Record<string, unknown> => {
    try {
      return parse(toml)
    } catch (cause) {
      return fail(`its block is no TOML: ${messageOf(cause).split('\n')[0]}`, cause)
    }
  }
  const { dependencies = [] } = read()
  if (!Array.isArray(dependencies)) return fail('dependencies is no list of texts')
  const names: unknown[] = dependencies
  const texts = names.filter((one) => typeof one === 'string')
  return texts.length === names.length ? texts : fail('dependencies is no list of texts')
}
