import { formatBytes } from '../base/bytes.ts'
import { formatCacheOption } from '../buildx/cache-option.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { dependencyStageName } from '../dockerfile/dependency-stage.ts'
import type { AskedChecker } from '../image-check/image-check.ts'
import type { LayerGroup } from '../layers/layer-plan.ts'
import type { BuildReport, ReportCache, ReportCheck, ReportLayer, ReportWarning } from '../report/report.ts'
import type { PushedBuild } from './build-and-push.ts'
import { partsOf } from './choose-assembly.ts'
import type { MadeOfParts } from './compose-image.ts'
import type { Content, UnknownContent } from './content.ts'
import type { ImageFinding } from './find-image.ts'
import type { PlannedDockerfile } from './plan-dockerfile.ts'
import type { PreparedPublish } from './publish.ts'
import { lasted } from './publish-memory.ts'
import type { Source } from './source.ts'

/** What the check of the image has to tell. Whoever could not answer is a warning: the user can do something about it. */
export function describeCheck(
  source: Source,
  content: Content | UnknownContent,
  check: ImageFinding,
): Partial<BuildReport> {
  const warnings: ReportWarning[] = []
  if (content.kind === 'unknown') {
    warnings.push({ message: `no content key, so nothing can be skipped: ${content.reason}` })
  }
  if (source.files.files.includes('.git/HEAD')) {
    warnings.push({
      message: 'the build context holds .git, so every commit is another content: add .git to .dockerignore',
    })
  }
  const asked = check.kind === 'not-asked' ? [] : check.asked
  const whole: ReportCheck[] =
    asked.length > 0
      ? []
      : [
          {
            what: 'image check',
            outcome: check.kind === 'not-asked' ? 'skipped' : 'unknown',
            detail: check.reason,
          },
        ]
  return {
    checks: [...asked.map(checkRow), ...whole],
    warnings: [...warnings, ...checkWarnings(asked)],
    contentKey: content.kind === 'known' ? content.key : undefined,
  }
}

/** A row for one who was asked. */
export function checkRow({ by, answer }: AskedChecker): ReportCheck {
  if (answer.kind === 'found') return { what: by, outcome: 'found', detail: `${answer.digest}, ${answer.reason}` }
  return { what: by, outcome: answer.kind === 'pass' ? 'skipped' : answer.kind, detail: answer.reason }
}

export function checkWarnings(asked: readonly AskedChecker[]): readonly ReportWarning[] {
  return asked.flatMap(({ by, answer }) =>
    answer.kind === 'unknown' ? [{ message: `${ASKED[by]} could not be asked for the image: ${answer.reason}` }] : [],
  )
}

const ASKED: Readonly<Record<AskedChecker['by'], string>> = {
  record: 'records',
  registry: 'the registry',
  docker: 'Docker',
}

/**
 * What was done to the Dockerfile. A wish that could not be met is worth a warning.
 * @param wanted the input `assemble`
 */
export function describeDockerfile(dockerfile: PlannedDockerfile, wanted: string): Partial<BuildReport> {
  const isRefused = wanted === 'composed' && dockerfile.assembly === 'linked'
  return {
    warnings: isRefused ? [{ message: dockerfile.assemblyReason }] : [],
    dockerfileSteps: dockerfile.steps,
    checks: [
      ...dockerfile.notes.map((detail): ReportCheck => ({ what: 'dependencies', outcome: 'found', detail })),
      ...describeAssembly(dockerfile.assembly, dockerfile.assemblyReason),
    ],
  }
}

/** How the layers become the image, and why so. */
export function describeAssembly(assembly: string, reason: string): readonly ReportCheck[] {
  return reason === '' ? [] : [{ what: 'assembly', outcome: 'found', detail: `${assembly}: ${reason}` }]
}

/** What a composed image is made of. */
export function describeComposed(dockerfile: PlannedDockerfile, made: MadeOfParts): Partial<BuildReport> {
  const { timeline, metadata, built, mounted, copiedBytes, caches, troubles } = made
  const parts = dockerfile.composed === undefined ? [] : partsOf(dockerfile.composed)
  const fresh = new Set(parts.flatMap((part) => (part.kind === 'group' && built.has(part) ? [part.name] : [])))
  const copied = copiedBytes === 0 ? '' : `, ${formatBytes(copiedBytes)} of the base image copied`
  return {
    digest: metadata.digest,
    pulledBytes: dockerfile.pulledBytes + timeline.pulledBytes,
    layers: dependencyLayers(dockerfile, fresh, 'kept in the registry'),
    caches,
    publish: {
      plan: 'composed',
      reason: `${built.size} of ${parts.length} layers built, ${mounted} mounted${copied}`,
      legs: legs({ predicted: undefined }, timeline),
    },
    warnings: troubles.map((message) => ({ message })),
  }
}

/** What was built and where it went. */
export function describeBuild(
  dockerfile: PlannedDockerfile,
  publish: PreparedPublish,
  built: PushedBuild,
  caches: readonly ReportCache[],
): Partial<BuildReport> {
  const { timeline, metadata } = built
  const imports = publish.cacheFrom.map((option) => importRow(formatCacheOption(option), timeline))
  const rows = [...imports, ...publish.rows, ...caches]
  return {
    digest: metadata.digest,
    pulledBytes: dockerfile.pulledBytes + timeline.pulledBytes,
    layers: dependencyLayers(
      dockerfile,
      new Set(timeline.executedRuns.map(({ stage }) => stage)),
      'unchanged, found in the cache',
    ),
    caches: rows,
    publish: { plan: publish.mode, reason: publish.reason, legs: legs(publish, timeline) },
    checks: pushRow(built),
    warnings: [
      ...built.notes.map((message) => ({ message })),
      ...rows.flatMap(({ what, outcome, detail }) =>
        outcome === 'failed' || outcome === 'unavailable'
          ? [{ message: `${what} failed, the image is not affected: ${detail}` }]
          : [],
      ),
    ],
  }
}

/** @param fresh names of the stages that ran */
function dependencyLayers(
  dockerfile: PlannedDockerfile,
  fresh: ReadonlySet<string | undefined>,
  otherwise: string,
): readonly ReportLayer[] {
  return dockerfile.layers.flatMap(({ stage, plan }) =>
    plan.groups.map((group, index): ReportLayer => {
      const built = fresh.has(dependencyStageName(stage, index + 1))
      return {
        what: title(group),
        packages: group.packages.map(({ name, version }) => `${name} ${version}`),
        bytes: group.size,
        state: built ? 'built' : 'reused',
        why: built ? group.reason : otherwise,
      }
    }),
  )
}

/** The largest package names a group best. */
function title({ packages }: LayerGroup): string {
  const [largest] = [...packages].sort((a, b) => (b.wheel.size ?? 0) - (a.wheel.size ?? 0))
  if (largest === undefined) return 'nothing'
  return packages.length === 1 ? largest.name : `${largest.name} and ${packages.length - 1} more`
}

function importRow(option: string, timeline: BuildTimeline): ReportCache {
  const ref = /ref=([^,"]+)/.exec(option)?.[1] ?? option
  const span = timeline.cacheImports.find(({ name }) => name.includes(ref))
  if (span === undefined)
    return { what: `import ${option}`, outcome: 'skipped', detail: 'the builder did not ask for it' }
  if (span.error === undefined) return { what: `import ${option}`, outcome: 'ok', detail: '' }
  const isMissing = /not found/i.test(span.error)
  return {
    what: `import ${option}`,
    outcome: isMissing ? 'miss' : 'failed',
    detail: isMissing ? 'there is none yet' : span.error,
  }
}

/** Whether the registry has what was pushed, by its own word. */
function pushRow({ pushed, metadata }: PushedBuild): readonly ReportCheck[] {
  const what = 'pushed image'
  if (pushed.kind === 'there') return [{ what, outcome: 'found', detail: `read back as ${pushed.manifest.digest}` }]
  if (metadata.digest === undefined || pushed.kind === 'missing' || pushed.reason === 'nothing was pushed') return []
  return [{ what, outcome: 'unknown', detail: `not read back: ${pushed.reason}` }]
}

function legs(
  { predicted }: Pick<PreparedPublish, 'predicted'>,
  timeline: BuildTimeline,
): NonNullable<BuildReport['publish']>['legs'] {
  const leg = (name: string, spans: BuildTimeline['cacheExports'], predictedSeconds: number | undefined) =>
    spans.length === 0 ? [] : [{ name, predictedSeconds, seconds: lasted(spans, timeline.elapsed) }]
  const both = [...timeline.pushes, ...timeline.cacheExports]
  const whole = timeline.cacheExports.length === 0 ? [] : leg('push and export together', both, predicted?.seconds)
  return [
    ...leg('push', timeline.pushes, predicted?.push),
    ...leg('cache export', timeline.cacheExports, predicted?.export),
    ...whole,
    ...(whole.length === 0 ? [] : [{ name: 'overlap', seconds: timeline.overlap / 1000 }]),
  ]
}
