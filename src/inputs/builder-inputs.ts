import type { BuilderOptions } from '../buildx/builder-options.ts'
import type { InputReader } from './input-reader.ts'

/** A secret of the build; only its id may be shown. */
export interface BuildSecret {
  readonly id: string
  readonly from:
    | { readonly kind: 'value'; readonly value: string }
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'env'; readonly name: string }
}

/** Options that buildx gets as they are. */
export function readBuilderOptions(reader: InputReader): BuilderOptions {
  return {
    addHosts: reader.list('add-hosts'),
    attests: reader.lines('attests'),
    cgroupParent: reader.text('cgroup-parent'),
    network: reader.text('network'),
    noCacheFilters: reader.list('no-cache-filters'),
    shmSize: reader.text('shm-size'),
    ssh: reader.lines('ssh'),
    ulimits: reader.lines('ulimit'),
  }
}

/** What the builder is asked; `build` is what happens when nothing is called. */
export function readCall(reader: InputReader): string | undefined {
  const text = reader.text('call')
  return text === 'build' ? undefined : text
}

/** The token for git; an expression that nobody filled in stands in action.yml alone. */
export function readGithubToken(reader: InputReader): string | undefined {
  const text = reader.text('github-token')
  return text?.startsWith('${{') === true ? undefined : text
}

/** Secrets from all three inputs. One without a value is none, as where a fork's run has no secrets. */
export function readSecrets(reader: InputReader): readonly BuildSecret[] {
  const entries = (name: string): [string, string][] => [...secretPairs(reader, name)]
  return [
    ...entries('secrets')
      .filter(([, value]) => value !== '')
      .map(([id, value]): BuildSecret => ({ id, from: { kind: 'value', value } })),
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
