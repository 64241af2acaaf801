import type { BuilderOptions } from '../buildx/builder-options.ts'
import type { InputReader } from './input-reader.ts'

/** Options that buildx gets as they are. */
export function builderOptions(reader: InputReader): BuilderOptions {
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

/** What the builder is asked instead of building; `build` is what happens when nothing is called. */
export function call(reader: InputReader): string | undefined {
  const text = reader.text('call')
  return text === 'build' ? undefined : text
}

/** An expression that nobody filled in stands in action.yml alone. */
export function githubToken(reader: InputReader): string | undefined {
  const text = reader.text('github-token')
  return text?.startsWith('${{') === true ? undefined : text
}
