import { ImageCacheError } from '../base/errors.ts'
import { BAKE_INPUTS } from '../inputs/bake-input-list.ts'
import { parseBakeInputs } from '../inputs/bake-inputs.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import { fillInputs } from '../inputs/filled-inputs.ts'
import { BUILD_INPUTS } from '../inputs/input-list.ts'

const KNOWN: ReadonlyMap<string, string> = new Map(BUILD_INPUTS.map(({ name, kind }) => [name, kind]))

/**
 * Why a step of docker/build-push-action can't be taken over as it is; undefined when it can.
 * @param version what stands behind the `@`: a tag, a branch or a commit
 * @param inputs as they are written; undefined when they can't be read one by one
 */
export function stepProblem(version: string, inputs: ReadonlyMap<string, string> | undefined): string | undefined {
  if (/^v?1(?:\.|$)/.test(version)) return 'version 1 had other inputs: move to version 2 or later first'
  if (inputs === undefined) return 'its inputs are not written out one by one'
  const unknown = [...inputs.keys()].filter((name) => !KNOWN.has(name.toLowerCase()))
  if (unknown.length > 0) return `there is no input ${unknown.join(', ')}`
  try {
    parseBuildInputs(fillInputs((name) => shownValue(name, inputs.get(name) ?? ''), {}))
    return undefined
  } catch (error) {
    if (error instanceof ImageCacheError) return error.message
    throw error
  }
}

const BAKE_KNOWN: ReadonlySet<string> = new Set(BAKE_INPUTS.map(({ name }) => name))

/**
 * The same for a step of docker/bake-action, which since version 6 takes its bake files from git unless told otherwise.
 * @param version what stands behind the `@`, and the remark that says which version a commit is
 */
export function bakeStepProblem(version: string, inputs: ReadonlyMap<string, string> | undefined): string | undefined {
  if (inputs === undefined) return 'its inputs are not written out one by one'
  const unknown = [...inputs.keys()].filter((name) => !BAKE_KNOWN.has(name.toLowerCase()))
  if (unknown.length > 0) return `there is no input ${unknown.join(', ')}`
  const [, major] = /\bv?(\d{1,2})(?:\.\d+)*\s*$/.exec(version) ?? []
  const isOld = major !== undefined && Number(major) < 6
  if (!isOld && !inputs.get('source')) {
    return 'without `source` it takes the bake files from git: check out, write `source: .`, and try again'
  }
  try {
    parseBakeInputs((name) => shownValue(name, inputs.get(name) ?? ''))
    return undefined
  } catch (error) {
    if (error instanceof ImageCacheError) return error.message
    throw error
  }
}

/** A value as far as it is known without a run: an expression stands for anything that fits. */
function shownValue(name: string, value: string): string {
  if (!value.includes('${{')) return value
  if (name === 'tags') return 'org/app:1'
  if (name === 'outputs') return value.replaceAll(/\$\{\{[\s\S]*?\}\}/g, 'app')
  if (name === 'source') return 'folder'
  return KNOWN.get(name) === 'flag' ? 'false' : ''
}
