import type { Instruction } from './dockerfile.ts'
import { runText } from './run-text.ts'

const TOOL_INSTALL = /\b(?:poetry\s+install|pdm\s+(?:install|sync)|pipenv\s+(?:install|sync))\b/
const PIP_INSTALL = /(?:\buv\s+sync\b|\b(?:pip3?(?:\.\d+)?|uv\s+pip)\s+(?:-\S+\s+)*install\b)/
const OTHER_INSTALLERS =
  /\b(?:uv\s+(?:add|pip\s+(?:sync|uninstall))|pip3?(?:\.\d+)?\s+(?:uninstall|config)|pip-sync|poetry\s+(?:install|add|sync|update|remove)|pdm\s+(?:install|sync|add|update)|pipenv\s+(?:install|sync|update|upgrade)|hatch\s+(?:env|run)|(?:conda|mamba|micromamba)\s+(?:install|create|env|update)|easy_install|setup\.py\s+(?:install|develop))\b/
const INSTALLERS = ['pip', 'setuptools', 'wheel', 'uv', 'poetry', 'pdm', 'pipenv', 'pip-tools']

/** Installers that bring packages of their own along. */
const TOOLS = /^(?:poetry|pdm|pipenv|pip-tools|pipx|poetry-plugin-\w+)$/i

/** The text of a step that installs packages with pip, uv, or a tool with a lock; undefined for every other step. */
export function installText(instruction: Instruction): string | undefined {
  const text = commandText(instruction)
  return text !== undefined && isInstallText(text) ? text : undefined
}

/** Another command in a RUN that changes which packages are there, such as `poetry install`. */
export function otherInstaller(instruction: Instruction): string | undefined {
  const text = instruction.keyword === 'RUN' ? commandText(instruction) : undefined
  return text === undefined ? undefined : OTHER_INSTALLERS.exec(text)?.[0].replace(/\s+/g, ' ')
}

/** Whether every install in the step is for pip, uv and their like, as in `pip install --upgrade pip`. @param names which */
export function installsOnlyInstallers(instruction: Instruction, names: readonly string[] = INSTALLERS): boolean {
  const text = commandText(instruction) ?? ''
  if (OTHER_INSTALLERS.test(text)) return false
  const commands = text.split(/&&|\|\||[;|&\n]/).filter(isInstallText)
  return commands.length > 0 && commands.every((command) => isForInstallersOnly(command, names))
}

/** Whether a command's text installs packages with pip, uv, or a tool with a lock. */
export function isInstallText(command: string): boolean {
  return PIP_INSTALL.test(command) || TOOL_INSTALL.test(command)
}

/** The same for tools with a lock alone: `poetry install`. */
export function isToolInstallText(command: string): boolean {
  return TOOL_INSTALL.test(command)
}

/** Whether a package is such a tool, whose own needs are installed with it. */
export function isTool(requirement: string): boolean {
  return TOOLS.test(requirement.replace(/[\s[=<>~!;@].*$/s, ''))
}

/** Whether a command puts such a tool where other packages go, rather than into an environment of its own. */
export function putsToolBeside(command: string): boolean {
  const [program = '', ...words] = command.split(/\s+/)
  const isOwn = program.includes('/') && !program.startsWith('/usr/')
  return PIP_INSTALL.test(command) && !isOwn && words.some((word) => isTool(word.replace(/^['"]/, '')))
}

/** The same for a step. */
export function installsToolBeside(instruction: Instruction): boolean {
  const commands = (commandText(instruction) ?? '').split(/&&|\|\||[;|&\n]/)
  return commands.some((command) => putsToolBeside(command.trim()))
}

/** The same for one command that installs. */
export function isForInstallersOnly(command: string, names: readonly string[] = INSTALLERS): boolean {
  const [before = '', args = ''] = command.split(/\binstall\b/)
  return !/\buv\s+sync\b/.test(before) && !TOOL_INSTALL.test(command) && forInstallersOnly(args, names)
}

function forInstallersOnly(args: string, names: readonly string[]): boolean {
  const words = args.split(/\s+/).map((word) => word.replace(/^['"]|['"]$/g, ''))
  return words.every(
    (word) =>
      word === '' ||
      names.includes(/^([\w-]+)(?:\[[^\]]*\])?(?:[=<>~!]=?[^;]*)?$/.exec(word)?.[1]?.toLowerCase() ?? '') ||
      /^(?:-U|-q|-qU|-Uq|--(?:no-|upgrade$|quiet|disable|root-user)\S*)$/.test(word),
  )
}

/** `# image-cache: layers` right above a step: the user's word that it is a plain install. */
export function isTrusted(instruction: Instruction): boolean {
  return instruction.comments.some((comment) => /^image-cache:\s*layers$/i.test(comment))
}

/** `# image-cache: off` right above a step. */
export function isSwitchedOff(instruction: Instruction): boolean {
  return instruction.comments.some((comment) => /^image-cache:\s*off$/i.test(comment))
}

function commandText(instruction: Instruction): string | undefined {
  const { keyword } = instruction
  return keyword === 'RUN' || keyword === 'ONBUILD' ? runText(instruction) : undefined
}
