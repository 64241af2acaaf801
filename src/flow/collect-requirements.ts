import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { InstallStep } from '../dockerfile/dockerfile.ts'
import { locateInContext } from '../dockerfile/locate-in-context.ts'
import { projectDependencies } from '../python/project-file.ts'
import { type CollectedRequirements, readRequirements } from '../python/read-requirements.ts'
import { type RequirementLine, readRequirement } from '../python/requirement-line.ts'
import type { StepsToLock } from './lock-question.ts'
import type { Source } from './source.ts'

/** What steps ask for: in files, in the command itself, and through local projects. `paths` are the files read, absolute. */
export async function collectRequirements(
  steps: readonly InstallStep[],
  { source, tools }: Pick<StepsToLock, 'source' | 'tools'>,
): Promise<CollectedRequirements & { readonly paths: readonly string[] }> {
  const files = new Set<string>()
  const paths = (files: readonly { readonly imagePath: string }[]): readonly string[] =>
    files.map(({ imagePath }) => imagePath)
  const locate = (step: InstallStep, imagePath: string): string | undefined =>
    locateInContext(source.dockerfile, step, imagePath, tools.view)
  const [first] = steps
  const collected = await readRequirements(
    {
      requirements: steps.flatMap((step) => paths(step.requirementFiles)),
      constraints: steps.flatMap((step) => paths(step.constraintFiles)),
    },
    async (imagePath) => {
      const step = steps.findLast((candidate) => locate(candidate, imagePath) !== undefined) ?? first
      const path = step && locate(step, posix.normalize(imagePath))
      if (path === undefined) return undefined
      const file = join(source.context, path)
      files.add(file)
      const text = await readText(file)
      // uv takes what a project needs, not the project itself.
      return text !== undefined && imagePath.endsWith('.toml') ? projectDependencies(text, [])?.join('\n') : text
    },
  )
  const named = steps.flatMap((step) => step.packages.map((text) => ({ text, line: step.lines.first })))
  const withNamed = named.reduce(addNamed, collected)
  return { ...(await addLocals(steps, withNamed, source)), paths: [...files] }
}

/** Undefined where there is no such file, or none in UTF-8: pip refuses that. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  } catch {
    return undefined
  }
}

/** What local projects need is known where their pyproject.toml says it. */
async function addLocals(
  steps: readonly InstallStep[],
  collected: CollectedRequirements,
  source: Source,
): Promise<CollectedRequirements> {
  let sum = collected
  for (const { locals, lines, noDeps } of steps) {
    for (const { text, project, extras } of locals) {
      sum = addObstacle(sum, lines.first, `${text} is built from its source, so the step stays`)
      const file = project && (await readFile(join(source.context, project.contextPath), 'utf8').catch(() => undefined))
      const needs = file === undefined || noDeps === true ? [] : (projectDependencies(file, extras) ?? [])
      sum = needs.map((need) => ({ text: need, line: lines.first })).reduce(addNamed, sum)
    }
  }
  return sum
}

function addNamed(
  collected: CollectedRequirements,
  { text, line }: { text: string; line: number },
): CollectedRequirements {
  const read = readRequirement(text)
  if ('sentence' in read) return addObstacle(collected, line, read.sentence)
  const requirement: RequirementLine = { file: '', line: 0, hashes: [], ...read }
  return { ...collected, requirements: [...collected.requirements, requirement] }
}

function addObstacle(collected: CollectedRequirements, line: number, sentence: string): CollectedRequirements {
  const obstacle = { code: 'not-only-wheels', file: '', line, sentence } as const
  return { ...collected, obstacles: [...collected.obstacles, obstacle] }
}
