import type { InstallStep, Refusal } from '../dockerfile/dockerfile.ts'
import { isTool } from '../dockerfile/install-text.ts'
import { isLaidOver } from '../dockerfile/laid-over.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'

/**
 * Tools such as poetry often have an environment of their own, or the system's Python while the packages go to an
 * environment, or a stage that nothing else is installed in: then their install is the user's affair, and no layers are
 * made of it.
 */
export function withoutToolsElsewhere(found: readonly InstallStep[]): {
  readonly steps: readonly InstallStep[]
  readonly elsewhere: readonly Refusal[]
} {
  const isForTool = ({ packages, requirementFiles, locals, project }: InstallStep): boolean =>
    project === undefined && requirementFiles.length + locals.length === 0 && packages.every(isInstaller)
  const goal = found.find((step) => !isForTool(step))?.target
  const isElsewhere = ({ target, ...step }: InstallStep): boolean =>
    isForTool({ target, ...step }) && (target.kind !== goal?.kind || target.folder !== goal.folder)
  const elsewhere = found.filter(isElsewhere).map(({ lines }): Refusal => {
    return {
      code: 'environment',
      sentence: 'the tool lies elsewhere than the packages that it installs',
      line: lines.first,
    }
  })
  return { steps: found.filter((step) => !isElsewhere(step)), elsewhere }
}

function isInstaller(requirement: string): boolean {
  return isTool(requirement) || /^uv\b/.test(requirement)
}

/**
 * The first steps that are planned as one. A step with other settings must see what the steps before it installed, so
 * it and all after it stay; so does a second install into a folder of its own, which doesn't see the first.
 */
export function stepsTogether(all: readonly InstallStep[]): {
  readonly together: readonly InstallStep[]
  readonly later: readonly Refusal[]
} {
  const [first, ...more] = all
  if (first === undefined) return { together: [], later: [] }
  // The lock of a tool over what pip has installed, and after it only steps with that lock.
  const over = more.find((step) => isLaidOver(step, first))
  const isCut = (step: InstallStep): boolean =>
    unlike(step, over !== undefined && all.indexOf(step) >= all.indexOf(over) ? over : first)
  const isBlind = first.target.folder !== undefined && first.target.kind !== 'venv'
  const cut = more.findIndex((step) => isBlind || step.locals.length > 0 || step.stays !== undefined || isCut(step)) + 1
  if (cut === 0) return { together: all, later: [] }
  const later = all.slice(cut).map((step): Refusal => {
    const [local] = step.locals
    const line = step.lines.first
    if (local !== undefined)
      return { code: 'not-only-wheels', sentence: `${local.text} is built from its source`, line }
    if (step.stays !== undefined) return { ...step.stays, line }
    const sentence = isBlind
      ? `an install into ${step.target.folder ?? 'a folder'} does not see what lies there already`
      : 'an install before it in this stage has other settings (index, pre-releases, installer or place)'
    return { code: 'environment', sentence, line }
  })
  return { together: all.slice(0, cut), later }
}

function unlike(a: InstallStep, b: InstallStep): boolean {
  const facts = ({ settings, installer, target, project, noDeps }: InstallStep): string => {
    const { folder, kind, python, owner } = target
    const lock = project && [project.folder, project.selection, project.lock, project.lockFile]
    return JSON.stringify([settings, installer, folder, kind, python, owner, noDeps, lock])
  }
  return facts(a) !== facts(b)
}

/** Which steps layers take the place of, and which ones stay since they build packages of their own. */
export function whoStays(
  together: readonly InstallStep[],
  unbuilt: readonly UnbuiltPackage[],
): { readonly steps: readonly InstallStep[]; readonly way: 'rewrite' | 'seed'; readonly staying: readonly Refusal[] } {
  if (together[0]?.stays !== undefined) return { steps: together.slice(0, 1), way: 'seed', staying: [] }
  // Beside the lock of a tool, pip installs wheels alone, or nothing is planned.
  const isOver = together.some(({ project }) => project !== undefined)
  const builds = together.map((step) =>
    isOver && step.project === undefined ? undefined : unbuilt.find((entry) => wants(step, entry)),
  )
  const at = builds.findIndex((entry) => entry !== undefined)
  if (at < 0) return { steps: together, way: 'rewrite', staying: [] }
  // A resolution of several pip commands doesn't tell which of them wants what.
  if (at === 0 || together[at]?.project === undefined) return { steps: together, way: 'seed', staying: [] }
  const reason = builds[at]?.reason ?? ''
  const staying = together.slice(at).map(({ lines }): Refusal => {
    return {
      code: 'not-only-wheels',
      sentence: `${reason}; the step finds all others in the layers`,
      line: lines.first,
    }
  })
  return { steps: together.slice(0, at), way: 'rewrite', staying }
}

export function wants({ project }: InstallStep, { folder }: UnbuiltPackage): boolean {
  if (project === undefined || folder === undefined || project.leavesOut === 'nothing') return true
  return project.leavesOut === 'project' && folder !== '.' && folder !== ''
}
