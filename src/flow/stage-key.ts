import type { Digest } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import { stageOf } from '../dockerfile/copied-trees.ts'
import { readCopyStep } from '../dockerfile/copy-step.ts'
import type { BuildView } from '../dockerfile/dockerfile.ts'
import { runMounts } from '../dockerfile/run-mounts.ts'
import { resolveStages, type StageGraph } from '../dockerfile/stage-graph.ts'
import { type StageStep, walkStage } from '../dockerfile/stage-steps.ts'
import { usedBuildArgs } from '../dockerfile/used-build-args.ts'
import { copiedEntries } from '../image/copy-key.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Content, UnknownContent } from './content.ts'
import type { Source } from './source.ts'

/** A build whose stages are looked at. */
export interface StageQuestion {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
  readonly view: BuildView
}

/**
 * The content key of what may be copied from a stage or an image: all that it may be made of, rather too much than too
 * little. Undefined where something of it has no key: a file from the network, a context that is no image.
 * @param from as `--from` names it, or a stage by its place
 * @param until the line of the stage at which it ends; undefined: the whole stage
 */
export function sourceKey(from: string | number, question: StageQuestion, until?: number): Digest | undefined {
  const { inputs, source, content, view } = question
  if (content.kind === 'unknown') return undefined
  // Contexts may be folders, or repositories that move.
  if ([...inputs.buildContexts.values()].some((value) => !value.startsWith('docker-image://'))) return undefined
  const graph = resolveStages(source.dockerfile, view)
  const stage = typeof from === 'number' ? from : stageOf(from, graph)
  if (stage === undefined) return content.images.find(({ name }) => name === from)?.digest
  const { steps, root, rootReference } = walkStage(graph, stage, view)
  const base =
    rootReference === undefined ? 'scratch' : content.images.find(({ name }) => name === rootReference)?.digest
  if (base === undefined) return undefined
  const counted = steps.filter((step) => step.stage !== stage || step.instruction.lines.first < (until ?? Infinity))
  const made: KeyValue[] = []
  for (const step of counted) {
    const facts = stepFacts(step, graph, question)
    if (facts === undefined) return undefined
    made.push(facts)
  }
  const { dockerfile, files } = source
  const used = new Set(usedBuildArgs(dockerfile, view))
  return keyHash({
    base,
    steps: made,
    // Triggers of the base image may copy anything.
    context: (root?.onBuild ?? []).length > 0 ? files.digest : undefined,
    directives: dockerfile.directives.map(({ name, value }) => [name, value]),
    globalArgs: dockerfile.globalArgs.map(({ rest }) => rest),
    buildArgs: Object.fromEntries([...inputs.buildArgs].filter(([name]) => used.has(name))),
    secretIds: inputs.secrets.map(({ id }) => id).sort(),
    platform: view.platform,
  })
}

/** A step's text, and all that it takes from elsewhere. */
function stepFacts(step: StageStep, graph: StageGraph, question: StageQuestion): KeyValue | undefined {
  const { instruction } = step
  const { files, dockerfile } = question.source
  const text = dockerfile.text.slice(instruction.start, instruction.end)
  const copy = readCopyStep(step, graph)
  if (copy !== undefined) {
    if (copy.sources.some((source) => /^[a-z][a-z0-9+.-]*:\/\/|^git@/i.test(source))) return undefined
    if (copy.from === undefined) return [text, Object.fromEntries(copiedEntries(copy.sources, files.entries))]
    const key = sourceKey(copy.from, question)
    return key === undefined ? undefined : [text, key]
  }
  if (instruction.keyword !== 'RUN') return [text]
  const facts: KeyValue[] = [text]
  for (const { type, from } of runMounts(instruction)) {
    if (type !== 'bind' && from === undefined) continue
    const key = from === undefined ? files.digest : sourceKey(from, question)
    if (key === undefined) return undefined
    facts.push(key)
  }
  return facts
}
