import { posix } from 'node:path'
import { redact } from '../base/redact.ts'
import type { BuildView, LocalPackage, LockedProject, RequirementFile } from './dockerfile.ts'
import type { CommandObstacle, InstallCommand } from './install-command.ts'
import { isContextLink, originOf } from './locate-in-context.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageWalk } from './stage-steps.ts'
import type { StepPlace } from './step-place.ts'

/** uv takes settings from pyproject.toml and uv.toml of the working directory and the folders above it. */
export function projectSettings(
  { installer }: InstallCommand,
  workingDir: string,
  { index, walk, graph, view }: StepPlace,
): CommandObstacle | undefined {
  if (installer !== 'uv') return undefined
  for (let folder = workingDir; ; folder = posix.dirname(folder)) {
    for (const name of ['uv.toml', 'pyproject.toml']) {
      const path = posix.join(folder, name)
      const origin = originOf(path, walk.steps, index, graph, view.contextFiles)
      if (origin.kind !== 'context') continue
      const text = view.projectFiles?.get(origin.path)
      if (text !== undefined && name === 'pyproject.toml' && !/^\s*\[+\s*tool\s*\.\s*uv\b/m.test(text)) continue
      return { code: 'environment', sentence: `uv takes settings from ${path}, which the step sees` }
    }
    if (folder === '/') return undefined
  }
}

/** A package that the command names by its folder, an URL or version control. */
export function localPackage(
  text: string,
  workingDir: string,
  index: number,
  { steps }: StageWalk,
  graph: StageGraph,
  view: BuildView,
): LocalPackage {
  const [, path = '', brackets = ''] = /^(?:file:)?([./][^[]*|[\w-][\w./-]*\/[^[]*)(?:\[([^\]]*)\])?$/.exec(text) ?? []
  const extras = brackets.split(',').flatMap((extra) => (extra.trim() === '' ? [] : [extra.trim()]))
  if (path === '' || text.includes('://')) return { text: redact(text), project: undefined, extras }
  const imagePath = posix.resolve(workingDir, path, 'pyproject.toml')
  const origin = originOf(imagePath, steps, index, graph, view.contextFiles)
  const project = origin.kind === 'context' ? { imagePath, contextPath: origin.path } : undefined
  return { text: redact(text), project, extras }
}

/** The lock and the project file that a command finds in its working directory. @param names of the two files */
export function locateProject(
  { lock, project }: { readonly lock: string; readonly project: string },
  workingDir: string,
  place: StepPlace,
): Pick<LockedProject, 'lockFile' | 'projectFile'> | CommandObstacle {
  const files = locateAll([lock, project], workingDir, place)
  if ('code' in files) return files
  const [lockFile, projectFile] = files
  if (lockFile === undefined || projectFile === undefined) throw new RangeError('two files were asked for')
  return { lockFile, projectFile }
}

/** The files of the build context that a command finds at paths of the image; an obstacle where one may be another. */
export function locateAll(
  paths: readonly string[],
  workingDir: string,
  { index, walk, graph, view }: StepPlace,
): readonly RequirementFile[] | CommandObstacle {
  const files: RequirementFile[] = []
  for (const path of paths) {
    const imagePath = posix.resolve(workingDir, path)
    const origin = originOf(imagePath, walk.steps, index, graph, view.contextFiles)
    if (origin.kind === 'none')
      return { code: 'file-not-found', sentence: `no step above copies ${path} from the build context` }
    if (origin.kind === 'unknown') {
      return {
        code: 'file-not-found',
        sentence: `${path} may not be the build context's file any more (line ${origin.line})`,
      }
    }
    if (isContextLink(origin.path, view))
      return { code: 'file-not-found', sentence: `${path} is a symbolic link, which may lead elsewhere in the image` }
    files.push({ imagePath, contextPath: origin.path })
  }
  return files
}
