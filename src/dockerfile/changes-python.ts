import { type CopyStep, isWithin, readCopyStep } from './copy-step.ts'
import type { BuildView, Instruction } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { otherInstaller } from './install-text.ts'
import { copiesOddFolder, copiesTo, isOpaque } from './locate-in-context.ts'
import { ownProgram } from './own-program.ts'
import { runText } from './run-text.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageStep } from './stage-steps.ts'

/** Where pip and uv look for settings, whatever the home folder is. */
const SETTINGS_FILES =
  /^\/(?:etc\/(?:xdg\/)?(?:pip\/)?pip\.conf|etc\/(?:xdg\/)?uv\/uv\.toml|usr\/local\/pip\.conf)$|\/(?:\.pip\/pip\.conf|\.config\/(?:pip\/pip\.conf|uv\/uv\.toml)|\.netrc|\.pydistutils\.cfg)$/
/** Folders that such a file may come to lie in when all that is known of a COPY is where it goes. */
const SETTINGS_FOLDERS = ['/etc/xdg/pip', '/etc/uv', '/root/.config/pip', '/root/.config/uv', '/root/.pip']
const SETTINGS_NAMES = /\bpip\.conf\b|\buv\.toml\b|\.netrc\b|\.pydistutils\.cfg\b/

const PYTHON_FOLDER = /^\/usr\/local\/lib\/python3[^/]*(?:\/|$)/
/** Folders that every layer for the system's Python brings along, with the usual mode and owner. */
const LAYER_FOLDERS = ['/usr', '/usr/local', '/usr/local/bin', '/usr/local/lib']
/** What an install is called by. */
const OWN_PROGRAMS = /^\/usr\/local\/bin\/(?:pip|python)[\d.]*$/
const CHANGES_PROGRAMS =
  /\b(?:ln|cp|install)\b[^&|;\n]*\s\/usr\/local\/bin\/(?:pip|python)[\d.]*\s*(?:[&|;\n]|$)|\b(?:mv|rm)\b[^&|;\n]*\s\/usr\/local\/bin\/(?:pip|python)[\d.]*(?=\s|[&|;]|$)/
/** They change these folders themselves, not only what lies in them. */
const CHANGES_FOLDERS =
  /\b(?:chmod|chown|chgrp|setfacl)\b[^&|;\n]*\s(?:\/|\/usr|\/usr\/local(?:\/(?:bin|lib(?:\/python[\d.]+)?|\*|lib\/\*))?)\/?(?=\s|$)|\bmv\b[^&|;\n]*\s\/usr\/local(?:\/(?:bin|lib(?:\/python[\d.]+)?))?\/?\s+[^\s&|;]/

/**
 * Steps without an install that put packages into Python's folders, change these folders themselves, or bring settings
 * of installers: what an install below them does is not known.
 */
export function changesPython(step: StageStep, graph: StageGraph, view: BuildView): CommandObstacle | undefined {
  const { instruction } = step
  const what = runChange(instruction) ?? copyChange(readCopyStep(step, graph), view)
  return what === undefined ? undefined : { code: 'environment', sentence: `line ${instruction.lines.first} ${what}` }
}

/** Whether a text names a settings file of installers. */
export function namesSettings(text: string): boolean {
  return SETTINGS_NAMES.test(text)
}

function runChange(instruction: Instruction): string | undefined {
  const installer = otherInstaller(instruction)
  if (installer !== undefined) return `changes the packages with ${installer}`
  const own = ownProgram(instruction)
  if (own !== undefined) return `runs ${own}, which may install packages as well`
  const isRun = instruction.keyword === 'RUN'
  const text = isRun ? runText(instruction) : instruction.rest
  if (namesSettings(text)) return 'brings a settings file of pip or uv'
  if (isRun && (/(?:site|dist)-packages/.test(text) || CHANGES_FOLDERS.test(text))) return "may change Python's folders"
  if (isRun && CHANGES_PROGRAMS.test(text)) return 'puts another program in the place of pip or Python'
  return undefined
}

function copyChange(copy: CopyStep | undefined, view: BuildView): string | undefined {
  if (copy === undefined) return undefined
  const { destination } = copy
  const toPython = "copies files into Python's folders"
  const settings = 'may bring a settings file of pip or uv'
  const programs = 'puts another program in the place of pip or Python'
  if (PYTHON_FOLDER.test(destination)) return toPython
  if (OWN_PROGRAMS.test(destination)) return programs
  if (isOpaque(copy)) {
    if (isWithin('/usr/local/lib', destination)) return toPython
    return SETTINGS_FOLDERS.some((folder) => isWithin(folder, destination)) ? settings : undefined
  }
  const brings = (paths: RegExp): boolean => copiesTo(copy, view.contextFiles, (path) => paths.test(path))
  if (brings(SETTINGS_FILES)) return settings
  if (brings(PYTHON_FOLDER)) return toPython
  if (brings(OWN_PROGRAMS)) return programs
  return LAYER_FOLDERS.some((folder) => copiesOddFolder(copy, folder, view))
    ? "may change the modes of Python's folders"
    : undefined
}
