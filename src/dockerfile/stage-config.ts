import type { BaseImage, BuildView, Dockerfile } from './dockerfile.ts'
import { dockerfileSyntax } from './dockerfile-syntax.ts'
import { formatSettings, type HistoryEntry, type ImageSettings, readSettings } from './image-settings.ts'
import { settingsChange } from './settings-change.ts'
import { resolveStages, type StageGraph, stageChain } from './stage-graph.ts'
import { type StageStep, walkStage } from './stage-steps.ts'

/** The configuration that an image gets, or why it can't be told beforehand. */
export type StageConfig =
  | { readonly kind: 'known'; readonly json: string }
  /** One sentence. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** What the history says of a step that is built in another form than it is written in. */
export interface HistoryStep {
  readonly text: string
  readonly layer: boolean
}

/**
 * History of steps that are built in another form, by their first line: `as-written` stands for the step's own entry,
 * `without-layer` for the same when its layer is elsewhere. Line 0: what stands before all steps.
 */
export type RewrittenSteps = ReadonlyMap<number, readonly (HistoryStep | 'as-written' | 'without-layer')[]>

/**
 * Computes the configuration that BuildKit gives the target stage of a Dockerfile (frontend/dockerfile/dockerfile2llb):
 * everything but layers and times, which the image exporter fills in. Steps whose effect is not known for sure make the
 * whole unknown, and so does a RUN or ADD: both need the files.
 * @param baseConfig configuration of the image at the bottom of the target stage, as parsed JSON.
 * @param labels those of the command line; they win.
 * @param above how many steps, those of lower stages included, `baseConfig` already tells of; what they are is not looked at.
 * @throws ImageCacheError E_DOCKERFILE where the file is wrong.
 */
export function stageConfig(
  dockerfile: Dockerfile,
  view: BuildView,
  baseConfig: unknown,
  labels: ReadonlyMap<string, string>,
  rewritten: RewrittenSteps = new Map(),
  above = 0,
): StageConfig {
  const graph = resolveStages(dockerfile, view)
  const base = usableBase(baseConfig, view.platform ?? 'linux/amd64')
  const reason = typeof base === 'string' ? base : unusualBuild(graph, view)
  if (typeof base === 'string' || reason !== undefined) return { kind: 'unknown', reason: reason ?? '' }
  // Variables of steps that the base already has must not be set twice.
  const root = above === 0 ? { baseImage: () => asBaseImage(base) } : view
  const { steps, rootReference } = walkStage(graph, graph.target, root)
  if (rootReference === undefined) return { kind: 'unknown', reason: 'the stage starts from scratch' }
  const settings = afterSteps(steps, base, graph, rewritten, above)
  if (typeof settings === 'string') return { kind: 'unknown', reason: settings }
  return { kind: 'known', json: formatSettings({ ...settings, labels: new Map([...settings.labels, ...labels]) }) }
}

function afterSteps(
  steps: readonly StageStep[],
  base: ImageSettings,
  graph: StageGraph,
  rewritten: RewrittenSteps,
  above: number,
): ImageSettings | string {
  const first = (rewritten.get(0) ?? []).flatMap((entry) => (typeof entry === 'string' ? [] : [historyEntry(entry)]))
  let settings = { ...base, history: [...base.history, ...first] }
  // A stage forgets whether the one below it had a CMD.
  let cmdIn = steps.slice(0, above).findLast(({ instruction }) => instruction.keyword === 'CMD')?.stage
  for (const step of steps.slice(above)) {
    const { keyword, lines } = step.instruction
    const instead = rewritten.get(lines.first)
    const before = { settings, hasCmd: cmdIn === step.stage }
    const change =
      keyword === 'RUN' && instead !== undefined
        ? { settings: {}, text: '', layer: false }
        : settingsChange(step, before, graph)
    if (typeof change === 'string') return change
    if (keyword === 'CMD') cmdIn = step.stage
    const added = (instead ?? ['as-written' as const]).map((entry) =>
      historyEntry(entry === 'as-written' ? change : entry === 'without-layer' ? { ...change, layer: false } : entry),
    )
    settings = { ...settings, ...change.settings, history: [...settings.history, ...added] }
  }
  return settings
}

function historyEntry({ text, layer }: HistoryStep): HistoryEntry {
  return { createdBy: text, comment: 'buildkit.dockerfile.v0', emptyLayer: !layer }
}

/** The base's settings as BuildKit takes them over; a sentence where it does more than that. */
function usableBase(json: unknown, platform: string): ImageSettings | string {
  const base = readSettings(json)
  if (typeof base === 'string') return `the base image's configuration is unusual: ${base}`
  if (base.onBuild.length > 0) return 'the base image has ONBUILD triggers'
  if (!base.env.some((entry) => entry.startsWith('PATH='))) return 'the base image has no PATH'
  if (base.workingDir !== '' && !base.workingDir.startsWith('/'))
    return "the base image's working directory is relative"
  if (base.history.filter(({ emptyLayer }) => !emptyLayer).length !== base.layers) {
    return "the base image's history does not tell of all its layers"
  }
  const [os, architecture = ''] = platform.split('/')
  if (!['linux/amd64', 'linux/arm64'].includes(platform)) return `the platform ${platform} has not been looked into`
  if (base.os !== os || base.architecture !== architecture) return `the base image is not for ${platform}`
  // Variants that go without saying are left out (containerd's platforms package).
  const usual = architecture === 'amd64' ? ['v1'] : ['8', 'v8', 'v8.0']
  return usual.includes(base.variant.toLowerCase()) ? { ...base, variant: '' } : base
}

function unusualBuild(graph: StageGraph, { platform = 'linux/amd64' }: BuildView): string | undefined {
  const { directives } = graph.dockerfile
  const syntax = dockerfileSyntax(directives)
  if (syntax.kind === 'foreign') return `the file is read by ${syntax.reference}`
  const special = Object.keys(graph.buildArgs).find(
    (name) => name === 'SOURCE_DATE_EPOCH' || (name.startsWith('BUILDKIT_') && name !== 'BUILDKIT_INLINE_CACHE'),
  )
  if (special !== undefined) return `the build argument ${special} changes how the image is made`
  if ('SOURCE_DATE_EPOCH' in graph.globalArgs) return 'SOURCE_DATE_EPOCH changes how the image is made'
  const other = stageChain(graph, graph.target).find((index) => {
    const given = graph.stages[index]?.platform
    // The platform of the builder is not known here.
    return given !== undefined && (given !== platform || /BUILD/.test(graph.stages[index]?.stage.platform ?? ''))
  })
  return other === undefined ? undefined : `a stage is for the platform ${graph.stages[other]?.stage.platform}`
}

function asBaseImage({ env, user, workingDir, shell, onBuild }: ImageSettings): BaseImage {
  const variables = env.map((entry): [string, string] => {
    const at = entry.indexOf('=')
    return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
  })
  return { env: Object.fromEntries(variables), user, workingDir, shell, onBuild }
}
