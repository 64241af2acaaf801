import type { Deps } from './deps.ts'
import { askAhead, logInAhead } from './flow/ask-ahead.ts'
import { completeSource, identifyTasks, readTasks } from './flow/build-tasks.ts'
import { takeBuildTurn } from './flow/build-turn.ts'
import { callBuilder } from './flow/call-builder.ts'
import { chooseBuilder } from './flow/choose-builder.ts'
import { identifyContent } from './flow/content.ts'
import { existingImage, findImage } from './flow/find-image.ts'
import { recallFullBuild, rememberFullBuild } from './flow/full-build.ts'
import { fetchContext } from './flow/git-context.ts'
import { rememberImage } from './flow/image-records.ts'
import { builtImage, type ImageResult } from './flow/image-result.ts'
import { makeImage } from './flow/make-image.ts'
import { explainMiss, rememberParts } from './flow/missed.ts'
import { describeMoves } from './flow/moved-bytes.ts'
import { planDockerfile } from './flow/plan-dockerfile.ts'
import { rememberPlans } from './flow/plan-memory.ts'
import type { ReportDraft } from './flow/report-draft.ts'
import { describeCheck, describeDockerfile } from './flow/report-facts.ts'
import { skipBuild } from './flow/skip-build.ts'
import { contextTools, readSource } from './flow/source.ts'
import type { BuildInputs } from './inputs/build-inputs.ts'

/**
 * The build action's line: what is the image made of, is it there already, and if not, build it.
 * @throws ImageCacheError when the image can't be had; `report` then holds what was done until there
 */
export async function buildImage(wanted: BuildInputs, deps: Deps, report: ReportDraft): Promise<ImageResult> {
  const given = await fetchContext(wanted, deps)
  const tasks = await readTasks(given, deps)
  const inputs = tasks.refreshed ? { ...given, force: true } : given
  const tools = contextTools(deps)
  const { workspace } = deps.context
  const before = await report.stage('read the sources', () => readSource(inputs, workspace, tools, tasks.made))
  if (inputs.call !== undefined) return callBuilder(inputs.call, inputs, before, deps, report)
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

  const finding = chooseBuilder(inputs, deps)
  // Where all layers are there already nobody asks for the builder, and nobody minds that there is none.
  finding.catch(() => undefined)
  const [planned, missed, fullSeconds] = await report.stage('plan layers', () =>
    Promise.all([
      planDockerfile(inputs, source, content, finding, deps),
      explainMiss(inputs, before, content, check, deps.store),
      recallFullBuild(inputs, deps.store),
    ]),
  )
  report.add({ ...describeDockerfile(planned, inputs.assemble), missed, fullSeconds })
  const built = await makeImage({ inputs, source, content, dockerfile: planned }, finding, deps, report)
  report.add(await report.stage('audit', () => describeMoves(inputs, source, built, deps)))
  const seconds = report.seconds()
  if (built.isFull) rememberFullBuild(inputs, seconds, deps)
  rememberImage(inputs, content, built.metadata.digest, deps, built.isFull ? seconds : fullSeconds)
  rememberParts(inputs, before, content, deps)
  rememberPlans(inputs, built.dockerfile, deps)
  return builtImage(inputs, content, built.dockerfile, built, report)
}
