import type { BuildSecret } from './build-inputs.ts'
import type { InputReader } from './input-reader.ts'

/** Secrets by value, by file and by environment variable. */
export function secrets(reader: InputReader): readonly BuildSecret[] {
  const entries = (name: string): [string, string][] => [...secretPairs(reader, name)]
  return [
    ...entries('secrets').map(([id, value]): BuildSecret => ({ id, from: { kind: 'value', value } })),
    ...entries('secret-files').map(([id, path]): BuildSecret => ({ id, from: { kind: 'file', path } })),
    ...entries('secret-envs').map(([id, name]): BuildSecret => ({ id, from: { kind: 'env', name } })),
  ]
}

/** Like `pairs`, but a mistake must not quote what may be a secret. A quoted value may span lines. */
function secretPairs(reader: InputReader, name: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  for (const [index, entry] of reader.quotedLines(name).entries()) {
    const at = entry.indexOf('=')
    if (at < 1) reader.mistake(name, `entry ${index + 1}`, 'is not ID=VALUE')
    else pairs.set(entry.slice(0, at), entry.slice(at + 1))
  }
  return pairs
}
