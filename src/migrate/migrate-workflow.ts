import type { Document, Pair, Scalar, YAMLMap } from 'yaml'
import { messageOf } from '../base/errors.ts'
import { bakeStepProblem, stepProblem } from './step-problem.ts'

/** A step that was rewritten, or was not and why. Lines are 1-based, those of the file as it was. */
export interface StepNote {
  readonly line: number
  readonly what: 'rewritten' | 'left'
  readonly why: string
}

export interface MigratedWorkflow {
  /** The new text; the old one when nothing was to be rewritten. */
  readonly text: string
  readonly notes: readonly StepNote[]
}

/** Characters of the old text that are replaced. */
interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

type Yaml = typeof import('yaml')

const THEIRS = /^docker\/build-push-action@(.+)$/
const THEIR_BAKE = /^docker\/bake-action@(.+)$/
/** Actions that build images in other ways, which a reader may expect to be rewritten, too. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:depot|useblacksmith)\/(?:build-push|bake)-action@/, 'it builds on a service of its own'],
]
/** What stands behind a pinned commit: the version that it is. */
const VERSION_REMARK = /^([ \t]*)#[ \t]*(?:tag=|renovate: )?v?\d[\w.-]*[ \t]*(?=\r?\n|$)/

/**
 * Rewrites the steps of a workflow, or of a composite action, that use docker/build-push-action or docker/bake-action so
 * that they use this one. Text, not YAML, is edited: remarks and form stay. What isn't understood is left as it is and said.
 * @param action the new `uses`, such as `org/image-cache-action@v1`
 */
export async function migrateWorkflow(text: string, action: string): Promise<MigratedWorkflow> {
  const yaml = await import('yaml')
  const document = yaml.parseDocument(text, { keepSourceTokens: true })
  const [problem] = document.errors
  if (problem !== undefined) {
    const line = lineAt(text, problem.pos[0])
    return { text, notes: [{ line, what: 'left', why: `the file is no YAML: ${problem.message.split('\n', 1)[0]}` }] }
  }
  const notes: StepNote[] = []
  const edits: Edit[] = []
  for (const { step, uses } of stepsOf(document, yaml)) {
    const line = lineAt(text, uses.range?.[0] ?? 0)
    const other = OTHERS.find(([pattern]) => pattern.test(uses.value))
    if (other !== undefined) notes.push({ line, what: 'left', why: other[1] })
    const [version, bakeVersion] = [THEIRS, THEIR_BAKE].map((pattern) => pattern.exec(uses.value)?.[1])
    if (version === undefined && bakeVersion === undefined) continue
    const given = withOf(step, yaml)
    const remark = remarkBehind(text, uses)
    const why = version === undefined ? bakeStepProblem(`${bakeVersion}${remark}`, given) : stepProblem(version, given)
    if (why !== undefined) {
      notes.push({ line, what: 'left', why })
      continue
    }
    const made = version === undefined ? usesEdit(text, uses, bakeOf(action)) : editsOf(text, step, uses, action, yaml)
    edits.push(...made.edits)
    notes.push({ line, what: 'rewritten', why: made.why })
  }
  const changed = apply(text, edits)
  if (edits.length > 0 && !isSameBut(document, changed, action, yaml)) {
    const why = 'the rewritten file would not say the same: nothing was changed'
    return { text, notes: notes.map((note) => ({ ...note, what: 'left', why })) }
  }
  return { text: changed, notes }
}

interface Step {
  readonly step: YAMLMap
  readonly uses: Scalar<string>
}

function stepsOf(document: Document, { visit, isScalar, isSeq, isMap }: Yaml): readonly Step[] {
  const steps: Step[] = []
  visit(document, {
    Pair: (_, pair: Pair) => {
      if (!isScalar(pair.key) || pair.key.value !== 'steps' || !isSeq(pair.value)) return
      for (const step of pair.value.items) {
        const uses = isMap(step) ? step.get('uses', true) : undefined
        if (isMap(step) && isScalar(uses) && typeof uses.value === 'string') {
          steps.push({ step, uses: Object.assign(uses, { value: uses.value }) })
        }
      }
    },
  })
  return steps
}

/** Inputs of a step as texts; undefined when they can't be read one by one. */
function withOf(step: YAMLMap, { isMap, isScalar }: Yaml): ReadonlyMap<string, string> | undefined {
  if (!step.has('with')) return new Map()
  const given = step.get('with', true)
  if (!isMap(given)) return undefined
  const pairs = given.items.map(({ key, value }): [string, string] | undefined => {
    if (!isScalar(key) || key.value === '<<') return undefined
    if (value === null) return [String(key.value), '']
    return isScalar(value)
      ? [String(key.value), value.value === null ? '' : (value.source ?? String(value.value))]
      : undefined
  })
  const known = pairs.filter((pair) => pair !== undefined)
  return known.length === pairs.length ? new Map(known) : undefined
}

/** `org/image-cache-action@v1` is `org/image-cache-action/bake@v1` for bake files. */
function bakeOf(action: string): string {
  return action.replace(/(?=@|$)/, '/bake')
}

/** What stands behind the name of an action: the version that its commit is. */
function remarkBehind(text: string, uses: Scalar): string {
  return VERSION_REMARK.exec(text.slice(uses.range?.[1] ?? 0))?.[0] ?? ''
}

function usesEdit(text: string, uses: Scalar, action: string): { edits: Edit[]; why: string } {
  const [from = 0, to = 0] = uses.range ?? []
  return { edits: [{ from, to: to + remarkBehind(text, uses).length, text: action }], why: `uses ${action}` }
}

function editsOf(
  text: string,
  step: YAMLMap,
  uses: Scalar,
  action: string,
  { isMap }: Yaml,
): { edits: Edit[]; why: string } {
  const { edits } = usesEdit(text, uses, action)
  const given = step.get('with', true)
  if (!isMap(given) || given.has('context')) return { edits, why: `uses ${action}` }
  // Without a context the build was one of the repository, not of the folder.
  const place = given.range?.[0] ?? 0
  const context =
    given.flow === true ? 'context: "{{defaultContext}}", ' : `context: "{{defaultContext}}"${breakAt(text, place)}`
  const at = given.flow === true ? place + 1 : place
  return {
    edits: [...edits, { from: at, to: at, text: context }],
    why: `uses ${action}; without a context it built the repository, which {{defaultContext}} says`,
  }
}

/** A line break and the indentation of the line at a place. */
function breakAt(text: string, place: number): string {
  const start = text.lastIndexOf('\n', place - 1) + 1
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  return `${end}${' '.repeat(place - start)}`
}

function apply(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((now, { from, to, text: put }) => now.slice(0, from) + put + now.slice(to), text)
}

/** Whether a file means what it meant, but for the action and a context that says what none said. */
function isSameBut(before: Document, changed: string, action: string, yaml: Yaml): boolean {
  try {
    const after = yaml.parseDocument(changed)
    const same = (value: unknown): string =>
      JSON.stringify(value, (key, field: unknown) => {
        if (key === 'uses' && typeof field === 'string') {
          if (THEIRS.test(field) || field === action) return 'builds'
          if (THEIR_BAKE.test(field) || field === bakeOf(action)) return 'bakes'
        }
        return key === 'context' && field === '{{defaultContext}}' ? undefined : field
      })
    return after.errors.length === 0 && same(after.toJS()) === same(before.toJS())
  } catch (error) {
    throw new RangeError(`the file can't be compared: ${messageOf(error)}`)
  }
}

function lineAt(text: string, place: number): number {
  return text.slice(0, place).split('\n').length
}
