import { posix } from 'node:path'
import { plainWords } from './instruction-words.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, type StageStep } from './stage-steps.ts'

/** A COPY or ADD with variables filled in. */
export interface CopyStep {
  readonly keyword: 'COPY' | 'ADD'
  /** Value of `--from`; undefined: the build context. */
  readonly from: string | undefined
  /** Paths within the source, relative; heredocs not among them. */
  readonly sources: readonly string[]
  /** Whether file contents stand in the Dockerfile itself. */
  readonly inline: boolean
  /** Absolute, without a slash at its end. */
  readonly destination: string
  /** Whether the destination is written as a folder: with a slash at its end, `.`, or several sources. */
  readonly isFolder: boolean
  /** Names of all flags. */
  readonly flags: ReadonlyMap<string, string | undefined>
}

/** Reads a COPY or ADD; undefined for any other instruction. */
export function readCopyStep(step: StageStep, graph: StageGraph): CopyStep | undefined {
  const { keyword, rest, json, flags, heredocs } = step.instruction
  if (keyword !== 'COPY' && keyword !== 'ADD') return undefined
  const words = (json ?? plainWords(rest)).map((word) => (/^\d*<</.test(word) ? word : expandIn(graph, step, word)))
  const to = words.at(-1) ?? ''
  const names = words.slice(0, -1)
  const sources = names.filter((name) => heredocs.length === 0 || !/^\d*<</.test(name))
  return {
    keyword,
    from: flags.find(({ name }) => name === 'from')?.value || undefined,
    sources: sources.map((source) =>
      /^[a-z][a-z0-9+.-]*:\/\/|^git@/i.test(source) ? source : posix.join('/', source).slice(1),
    ),
    inline: heredocs.length > 0,
    destination: posix.resolve(step.before.workingDir, to),
    isFolder: /(?:^|\/)\.?$/.test(to) || names.length > 1,
    flags: new Map(
      flags.map(({ name, value }) => [name, value === undefined ? undefined : expandIn(graph, step, value)]),
    ),
  }
}

/** Whether `path` is `folder` or lies below it. Both absolute or both relative. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`) || folder === ''
}

/** Whether what is copied, and the folders that are made for it, belong to root. */
export function isForRoot({ flags }: CopyStep): boolean {
  return /^(?:0|root)?(?::(?:0|root))?$/.test(flags.get('chown') ?? '')
}
