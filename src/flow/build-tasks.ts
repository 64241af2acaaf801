import { availableParallelism } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import { type Digest, hexOf } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { keyHash } from '../base/key-hash.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { TaskRow } from '../report/task-report.ts'
import { skippedRow, taskRow } from '../report/task-report.ts'
import { bindNeeds, filesMadeBy, type GraphTask } from '../task-graph/graph-task.ts'
import { closureOf, orderTasks } from '../task-graph/task-graph.ts'
import { givenText } from './given-text.ts'
import type { ReportDraft } from './report-draft.ts'
import { contextTools, readSource, type Source } from './source.ts'

/** Tasks whose outputs are part of the build context. */
export interface BuildTasks {
  /** In an order in which each comes after those that it needs. */
  readonly ordered: readonly GraphTask[]
  readonly concurrency: number
  /** Lines for an ignore file: what the tasks make, as the build context sees it. */
  readonly made: readonly string[]
  /** Whether one of them is to be run whatever is kept: then an image of before won't do. */
  readonly refreshed: boolean
}

/** What stands for the outputs of the tasks in the content key. */
export type TasksKey =
  | { readonly kind: 'known'; readonly key: Digest | undefined }
  | { readonly kind: 'unknown'; readonly reason: string }

export const NO_TASKS: BuildTasks = { ordered: [], concurrency: 1, made: [], refreshed: false }

/**
 * Reads the tasks of a build: the input holds them, or the path of a file with them.
 * @throws ImageCacheError E_INPUT with everything that is wrong with them
 */
export async function readTasks(
  inputs: BuildInputs,
  { context, tasks: world }: Pick<Deps, 'context' | 'tasks'>,
): Promise<BuildTasks> {
  const given = inputs.tasks
  if (given === undefined) return NO_TASKS
  const { text, place } = await givenText('tasks', given, /^[^\n:]+\.ya?ml$/, context.workspace)
  const { parseTaskFile } = await import('../inputs/task-file.ts')
  const { tasks, concurrency = availableParallelism() } = await parseTaskFile(text, {
    ...(await world.surroundings()),
    place,
  })
  const order = orderTasks(tasks, [])
  const ordered = order.kind === 'ordered' ? order.nodes : []
  const made = ordered.flatMap(({ name, spec }) =>
    ignoreLines(spec.outputs.files, `${place}: tasks.${name}`, context.workspace, inputs),
  )
  return { ordered, concurrency, made, refreshed: ordered.some(({ spec }) => spec.overwrite) }
}

/**
 * The key of everything that the tasks make, known before any of them runs: each task's own key, with the keys of
 * those that it needs in place of what they make.
 */
export async function identifyTasks(
  { ordered }: BuildTasks,
  { clock, tasks: world }: Pick<Deps, 'clock' | 'tasks'>,
): Promise<TasksKey> {
  const unknown = (reason: string): TasksKey => ({ kind: 'unknown', reason })
  if (ordered.length === 0) return { kind: 'known', key: undefined }
  const [deps, { identifyTask }] = await Promise.all([world.open(), import('../task-cache/identify-task.ts')])
  const byName = new Map(ordered.map((task) => [task.name, task]))
  const keys = new Map<string, Digest>()
  for (const { name, needs, spec } of ordered) {
    if (spec.cache === 'disable') return unknown(`the cache of the task ${name} is switched off`)
    const met = needs.map((need) => ({ name: need, digest: keys.get(need), files: madeBelow(need, byName) }))
    const identified = await identifyTask(bindNeeds(spec, met), deps)
    if (identified.kind === 'untracked') return unknown(`task ${name}: ${identified.reason}`)
    // An image must not outlive what a task made for it: with an age limit its time is part of the key.
    const period = spec.maxAge === undefined ? undefined : Math.floor(clock.now() / 1000 / Math.max(1, spec.maxAge))
    keys.set(name, period === undefined ? identified.key : keyHash([hexOf(identified.key), period]))
  }
  return { kind: 'known', key: keyHash(Object.fromEntries(keys)) }
}

/**
 * Runs the tasks, or brings back what they made, and reads the build context once more, which is complete then.
 * @throws ImageCacheError E_TASK when one fails
 */
export async function completeSource(
  before: Source,
  tasks: BuildTasks,
  inputs: BuildInputs,
  deps: Deps,
  report: ReportDraft,
): Promise<Source> {
  if (tasks.ordered.length === 0) return before
  await report.stage('tasks', () => runBuildTasks(tasks, deps, (rows) => report.add({ tasks: rows })))
  return readSource(inputs, deps.context.workspace, contextTools(deps))
}

async function runBuildTasks(
  { ordered, concurrency }: BuildTasks,
  { host, tasks: world }: Deps,
  onRows: (rows: readonly TaskRow[]) => void,
): Promise<void> {
  // Loaded for builds that have tasks alone.
  const { runTasks } = await import('./run-tasks.ts')
  const ends = await runTasks(ordered, await world.open(), {
    concurrency,
    keepGoing: false,
    onLine: ({ name }, line) => host.info(`${name} | ${line}`),
    onEnd: ({ name }, end) => {
      for (const warning of end.kind === 'done' ? end.result.warnings : []) host.warning(`${name}: ${warning}`)
    },
  })
  const rows = [...ends].map(([name, end]) =>
    end.kind === 'done' ? taskRow(name, end.result) : skippedRow(name, end.because),
  )
  onRows(rows)
  const failed = rows.find(({ state }) => state === 'failed')
  if (failed === undefined) return
  throw new ImageCacheError('E_TASK', `the task ${failed.name} failed: ${failed.why}`, {
    hint: 'What it printed stands in the log, with its name before each line.',
  })
}

/** Everything that a task and those below it make: none of it is there yet, or it is of before. */
function madeBelow(name: string, byName: ReadonlyMap<string, GraphTask>): readonly string[] {
  return [...closureOf([name], byName)].flatMap((one) => {
    const task = byName.get(one)
    return task === undefined ? [] : filesMadeBy(task.spec)
  })
}

/** Outputs as lines of an ignore file of the context; what takes files out of them stands behind. */
function ignoreLines(
  files: readonly string[],
  place: string,
  workspace: string,
  inputs: BuildInputs,
): readonly string[] {
  const folder = relative(workspace, resolve(workspace, inputs.context)).split(sep).join('/')
  const lines = files.map((pattern) => {
    if (/[{}()]/.test(pattern)) {
      throw new ImageCacheError('E_INPUT', `${place}.outputs: ${JSON.stringify(pattern)} has braces or parentheses`, {
        hint: 'Tasks of a build name folders, files, or globs of *, ** and ?, as .dockerignore does.',
      })
    }
    const sign = pattern.startsWith('!') ? '!' : ''
    const path = pattern.slice(sign.length).replace(/^\.\//, '')
    if (folder === '' || path.startsWith('**')) return `${sign}${path}`
    return path.startsWith(`${folder}/`) ? `${sign}${path.slice(folder.length + 1)}` : ''
  })
  const used = lines.filter((line) => line !== '')
  return [...used.filter((line) => !line.startsWith('!')), ...used.filter((line) => line.startsWith('!'))]
}
