import type { StepKind } from './progress-timeline.ts'

/** What BuildKit's name of a step says. */
export interface StepName {
  readonly text: string
  readonly kind: StepKind
  readonly stage: string | undefined
  readonly platform: string | undefined
}

// The names come from BuildKit's cache exporters (cache/remotecache/*), exporters (exporter/*) and buildx's own steps.
const KINDS: readonly (readonly [RegExp, StepKind])[] = [
  [/^exporting (cache to |content cache|to GitHub Actions Cache)/, 'cache-export'],
  [/^importing cache manifest from /, 'cache-import'],
  [/^(exporting to |importing to docker)/, 'export'],
  [/^(pushing .+ with docker$|merging manifest list )/, 'push'],
]

/**
 * Reads a name such as `[linux/arm64 deps-1 2/3] RUN …`, `[app] exporting to image` (bake puts the target in front)
 * or `[internal] load .dockerignore`.
 */
export function parseStepName(name: string): StepName {
  const [, bracket = '', text = name] = /^\[([^\]]*)\] ?(.*)$/s.exec(name) ?? []
  const words = bracket.split(/\s+/).filter((word) => word !== '')
  const platform = words.find((word) => word.includes('/') && !/^\d+\/\d+$/.test(word))
  if (/^\d+\/\d+$/.test(words.at(-1) ?? '')) {
    const stage = words.slice(0, -1).findLast((word) => word !== platform)
    return { text, kind: instructionKind(text), stage, platform }
  }
  if (words.some((word) => word === 'internal' || word === 'auth' || word === 'context')) {
    return { text: name, kind: 'internal', stage: undefined, platform }
  }
  const kind = KINDS.find(([pattern]) => pattern.test(text))?.[1]
  if (kind !== undefined) return { text, kind, stage: undefined, platform }
  const own = /^(resolv(e|ing) |docker-image:\/\/|load |local:\/\/)/.test(text)
  return { text: name, kind: own ? 'internal' : 'other', stage: undefined, platform }
}

function instructionKind(text: string): StepKind {
  const [word] = /^[A-Z]+/.exec(text.replace(/^ONBUILD /, '')) ?? []
  if (word === 'FROM') return 'from'
  if (word === 'RUN') return 'run'
  if (word === 'LINK') return 'link'
  return word === 'COPY' || word === 'ADD' ? 'copy' : 'instruction'
}
