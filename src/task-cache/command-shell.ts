/** How a script is run: the ending of its file, and the command line that takes it. */
export interface ShellCommand {
  readonly extension: string
  /** Program and arguments; `{0}` stands for the script's file. */
  readonly words: readonly [string, ...string[]]
}

/** As GitHub runs a step's script (workflow syntax, `jobs.<job_id>.steps[*].shell`): the first failure ends it. */
const SHELLS: Readonly<Record<string, ShellCommand>> = {
  bash: { extension: '.sh', words: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '{0}'] },
  sh: { extension: '.sh', words: ['sh', '-e', '{0}'] },
  python: { extension: '.py', words: ['python', '{0}'] },
  node: { extension: '.mjs', words: ['node', '{0}'] },
  pwsh: { extension: '.ps1', words: ['pwsh', '-command', ". '{0}'"] },
}

/** Names that may be written for shells. */
export const SHELL_WORDS: readonly string[] = Object.keys(SHELLS)

/**
 * Finds how to run a script.
 * @param shell one of `SHELL_WORDS`, or a command line with `{0}`, words parted by spaces
 * @returns undefined when it is neither
 */
export function shellCommand(shell: string): ShellCommand | undefined {
  if (Object.hasOwn(SHELLS, shell)) return SHELLS[shell]
  const [program, ...rest] = shell.split(/\s+/).filter((word) => word !== '')
  if (program === undefined || !rest.some((word) => word.includes('{0}'))) return undefined
  return { extension: '', words: [program, ...rest] }
}
