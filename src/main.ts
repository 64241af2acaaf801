import { findBuilder } from './buildx/builder.ts'
import type { Deps } from './deps.ts'
import { askAhead, logInAhead } from './flow/ask-ahead.ts'
import { buildAndPush } from './flow/build-and-push.ts'
import { completeSource, identifyTasks, readTasks } from './flow/build-tasks.ts'
import { takeBuildTurn } from './flow/build-turn.ts'
import { identifyContent } from './flow/content.ts'
import { existingImage, findImage } from './flow/find-image.ts'
import { rememberImage } from './flow/image-records.ts'
import { builtImage, type ImageResult } from './flow/image-result.ts'
import { explainMiss, rememberParts } from './flow/missed.ts'
import { planDockerfile } from './flow/plan-dockerfile.ts'
import { rememberPlans } from './flow/plan-memory.ts'
import { publishPlan, tidyCaches } from './flow/publish.ts'
import type { ReportDraft } from './flow/report-draft.ts'
import { describeBuild, describeCheck, describeDockerfile } from './flow/report-facts.ts'
import { skipBuild } from './flow/skip-build.ts'
import { contextTools, readSource } from './flow/source.ts'
import { verifyBuild } from './flow/verify-build.ts'
import type { BuildInputs } from './inputs/build-inputs.ts'

/**
 * The build action's line: what is the image made of, is it there already, and if not, build it.
 * @throws ImageCacheError when the image can't be had; `report` then holds what was done until there
 */
export async function buildImage(given: BuildInputs, deps: Deps, report: ReportDraft): Promise<ImageResult> {
  const tasks = await readTasks(given, deps)
  const inputs = tasks.refreshed ? { ...given, force: true } : given
  const tools = contextTools(deps)
  const { workspace } = deps.context
  const before = await report.stage('read the sources', () => readSource(inputs, workspace, tools, tasks.made))
  logInAhead(inputs, deps)
  const content = await report.stage('content key', async () =>
    identifyContent(inputs, before, deps.registry, tools, await identifyTasks(tasks, deps)),
  )
  const asked = askAhead(inputs, content, deps)
  const check = await report.stage('image check', () => findImage(inputs, content, asked))
  report.add(describeCheck(before, content, check))
  const existing = existingImage(inputs, content, check)
  const skipped = existing && (await skipBuild({ inputs, source: before, content, existing }, asked, report))
  if (skipped !== undefined) return skipped

  await using turn = await report.stage('wait for other builds', () => takeBuildTurn(inputs, content, deps))
  report.add({ warnings: turn.note === undefined ? [] : [{ message: turn.note }] })
  // Once more through the line: now the image is found.
  if (turn.kind === 'built') return buildImage({ ...given, serialize: false, check: 'registry' }, deps, report)
  const source = await completeSource(before, tasks, inputs, deps, report)

  const finding = findBuilder(deps.exec, inputs.builder)
  const explained = explainMiss(inputs, before, content, check, deps.store)
  const [dockerfile, found, missed] = await report.stage('plan layers', () =>
    Promise.all([planDockerfile(inputs, source, content, finding, deps), finding, explained]),
  )
  report.add({ ...describeDockerfile(dockerfile), missed })
  const publish = publishPlan(inputs, found)
  const order = { inputs, source, content, dockerfile: dockerfile.text, lifted: dockerfile.lifted, publish, ...found }
  if (inputs.verify && dockerfile.assembly !== 'as-written') {
    const detail = await report.stage('verify', () => verifyBuild(order, deps))
    report.add({ checks: [{ what: 'verify', outcome: 'found', detail }] })
  }
  const built = await report.stage('build and push', () =>
    buildAndPush(order, deps, (timeline) => report.add({ timeline })),
  )
  const caches = await report.stage('tidy the cache', () => tidyCaches(publish, built.timeline, deps.registry))
  report.add(describeBuild(dockerfile, publish, built, caches))
  rememberImage(inputs, content, built.metadata.digest, deps)
  rememberParts(inputs, before, content, deps)
  rememberPlans(inputs, dockerfile, deps)
  return builtImage(inputs, content, dockerfile, built, report)
}
