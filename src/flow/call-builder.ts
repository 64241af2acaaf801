import { ImageCacheError } from '../base/errors.ts'
import { buildArgs } from '../buildx/build-args.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { buildPlan } from './build-and-push.ts'
import { prepareBuildFolder } from './build-folder.ts'
import { chooseBuilder } from './choose-builder.ts'
import { calledBuilder, type ImageResult } from './image-result.ts'
import { publishPlan } from './publish.ts'
import type { ReportDraft } from './report-draft.ts'
import type { Source } from './source.ts'

/**
 * Asks the builder about the build instead of building: `check` lints the Dockerfile, `outline` and `targets` describe
 * it. What it answers is shown; nothing is pushed or exported.
 * @throws ImageCacheError E_BUILD when the builder finds fault, with its first line
 */
export async function callBuilder(
  call: string,
  inputs: BuildInputs,
  source: Source,
  deps: Deps,
  report: ReportDraft,
): Promise<ImageResult> {
  const found = await chooseBuilder(inputs, deps)
  const folder = await prepareBuildFolder('call', { Dockerfile: source.dockerfile.text }, { inputs, source }, deps)
  const content = { kind: 'unknown', reason: 'nothing is built' } as const
  const asked = { ...inputs, push: false, load: false, outputs: [] }
  const order = {
    ...{ inputs: asked, source, content, dockerfile: source.dockerfile.text, lifted: undefined },
    ...{ publish: await publishPlan({ ...asked, cacheTo: { kind: 'off' } }, found, deps), ...found },
  }
  const plan = { ...buildPlan(order, folder), tags: [], call }
  const args = [...found.buildx.prefix, ...buildArgs(plan)]
  const result = await report.stage(`call ${call}`, () =>
    deps.exec.run(found.buildx.command, args, { signal: deps.signal }),
  )
  const lines = result.stdout.trimEnd().split('\n')
  deps.host.group(`buildx build --call=${call}`, lines)
  if (result.exitCode !== 0) {
    const [first = ''] = [...lines, ...result.stderr.trim().split('\n')].filter((line) => line.trim() !== '')
    throw new ImageCacheError('E_BUILD', `buildx build --call=${call} found fault: ${first}`, {
      hint: 'What it says stands above.',
    })
  }
  return calledBuilder(inputs, call, report)
}
