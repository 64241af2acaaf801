import { writeFile } from 'node:fs/promises'
import { formatBytes } from '../base/bytes.ts'
import { ImageCacheError } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import { imageName } from '../flow/find-image.ts'
import { planOutput } from '../flow/image-result.ts'
import type { PlannedDockerfile } from '../flow/plan-dockerfile.ts'
import { planImage } from '../flow/plan-image.ts'
import { type ExplainedPackage, explainPackages } from '../layers/explain-package.ts'
import { explainPlan } from '../layers/explain-plan.ts'
import { planStackSvg } from '../report/plan-stack-svg.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** How a plan is shown. */
export interface PlanView {
  readonly json: boolean
  /** Name of a package to tell everything about. */
  readonly explain: string | undefined
  /** Path of a picture to write. */
  readonly svg: string | undefined
}

/** `image-cache plan`: which packages go into which layers, and why. Builds nothing. Answers the exit code. */
export function planCommand(values: ReadonlyMap<string, string>, view: PlanView, world: CommandWorld): Promise<number> {
  return runCommand(values, world, async ({ inputs, host, deps }) => {
    const planned = await planImage(inputs, deps)
    for (const note of planned.notes) host.info(note)
    if (planned.assemblyReason !== '') host.info(`${planned.assembly}: ${planned.assemblyReason}`)
    if (view.svg !== undefined) await writeFile(view.svg, planPicture(planned, imageName(inputs)))
    const shown = view.explain === undefined ? planned : onlyOf(view.explain, planned)
    world.stdout.write(`${view.json ? toJson(shown) : toLines(shown).join('\n')}\n`)
  })
}

function isPlan(shown: PlannedDockerfile | readonly ExplainedPackage[]): shown is PlannedDockerfile {
  return 'steps' in shown
}

function toJson(shown: PlannedDockerfile | readonly ExplainedPackage[]): string {
  if (!isPlan(shown)) return JSON.stringify(shown, null, 2)
  const packages = shown.layers.flatMap(({ stage, plan }) => explainPackages(plan).map((pkg) => ({ stage, ...pkg })))
  const { steps, text, assembly, assemblyReason } = shown
  const how = { assembly, assemblyReason }
  return JSON.stringify({ layers: planOutput(shown), packages, ...how, steps, dockerfile: redact(text) }, null, 2)
}

function toLines(shown: PlannedDockerfile | readonly ExplainedPackage[]): readonly string[] {
  return isPlan(shown) ? planLines(shown) : shown.flatMap(packageLines)
}

function planLines(planned: PlannedDockerfile): readonly string[] {
  const layers = planned.layers.flatMap(({ stage, plan }) =>
    explainPlan(plan).map(({ layer, size, changeRate, reason, packages }) => {
      const cost = `${changeRate} likely to change with the next lock`
      return `layer ${layer} of stage ${stage}: ${size}, ${cost}\n  ${reason}\n  ${packages.join(', ')}`
    }),
  )
  const steps = planned.steps.map(({ line, text, what, reason }) => `line ${line} ${what}: ${text}\n  ${reason}`)
  return [...layers, ...steps]
}

function packageLines({ name, version, layer, costOfChange, why }: ExplainedPackage): readonly string[] {
  return [
    `${name} ${version} is in layer ${layer}`,
    ...why.map((sentence) => `  ${sentence}`),
    `  one more change of it rebuilds and pushes ${formatBytes(costOfChange)}`,
  ]
}

/** @throws ImageCacheError E_INPUT when no layer has the package. */
function onlyOf(name: string, { layers }: PlannedDockerfile): readonly ExplainedPackage[] {
  const wanted = name.toLowerCase().replace(/[-_.]+/g, '-')
  const all = layers.flatMap(({ plan }) => explainPackages(plan))
  const found = all.filter((pkg) => pkg.name === wanted)
  if (found.length > 0) return found
  const alike = all.filter((pkg) => pkg.name.includes(wanted) || wanted.includes(pkg.name)).map((pkg) => pkg.name)
  const hint =
    alike.length > 0
      ? `These are: ${alike.join(', ')}.`
      : 'Without --explain the plan shows all packages and all steps.'
  throw new ImageCacheError('E_INPUT', `explain: no planned layer has the package ${JSON.stringify(name)}`, { hint })
}

function planPicture({ layers }: PlannedDockerfile, image: string): string {
  const rows = layers.flatMap(({ plan }) =>
    explainPlan(plan).map(({ title, reason, packages }, index) => {
      const group = plan.groups[index]
      return { title, reason, packages, bytes: group?.size ?? 0, changeRate: group?.changeRate ?? 0 }
    }),
  )
  return planStackSvg(rows, `Planned layers of ${image}`)
}
