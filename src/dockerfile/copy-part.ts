import type { CopyPart, NotComposable } from './composed-part.ts'
import { readCopyStep } from './copy-step.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageStep } from './stage-steps.ts'

const FLAGS = new Set(['from', 'chown', 'exclude', 'link'])
/** Neither quotes nor variables nor anything else that the Dockerfile's own rules would change. */
const PLAIN = /^[\w@%+=:,./~*?[\]{}!^][\w@%+=:,./~*?[\]{}!^-]*$/

/**
 * Writes a COPY as a step that stands on nothing: linked, absolute, with its variables filled in.
 * @param slashes places in the text where a destination needs a slash at its end
 */
export function copyPart(step: StageStep, graph: StageGraph, slashes: readonly number[]): CopyPart | NotComposable {
  const { instruction } = step
  const line = instruction.lines.first
  const copy = readCopyStep(step, graph)
  if (copy === undefined) throw new RangeError(`no COPY in line ${line}`)
  const unusual = (what: string): NotComposable => ({ reason: `the COPY in line ${line} ${what}` })
  if (copy.inline) return unusual('has its files in the Dockerfile')
  const flag = [...copy.flags.keys()].find((name) => !FLAGS.has(name))
  if (flag !== undefined) return unusual(`has --${flag}`)
  const owner = copy.flags.get('chown')
  if (owner !== undefined && !/^\d+(?::\d+)?$/.test(owner))
    return unusual(`looks up the owner ${owner} in the files below`)
  const needsSlash = slashes.some((at) => at >= instruction.start && at <= instruction.end)
  const folder = copy.destination.replace(/\/?$/, '/')
  const words = [
    ...copy.sources.map((source) => (source === '' ? '.' : source)),
    copy.isFolder || needsSlash ? folder : copy.destination,
  ]
  const flags = instruction.flags.flatMap(({ name }) => {
    const values = instruction.flags.filter((given) => given.name === name)
    if (name === 'link' || values.length > 1) return []
    return [`--${name}=${copy.flags.get(name) ?? ''}`]
  })
  if (flags.length < instruction.flags.filter(({ name }) => name !== 'link').length) return unusual('repeats a flag')
  if (![...words, ...flags.map((text) => text.slice(2))].every((word) => PLAIN.test(word)))
    return unusual('is written in an unusual way')
  return { kind: 'copy', line, copy, text: ['COPY --link', ...flags, ...words].join(' ') }
}
