import type { Instruction } from './dockerfile.ts'
import { runText } from './run-text.ts'

/** Scripts that are fetched and run, and are known to leave Python's packages alone. */
const KNOWN_SCRIPTS =
  /sh\.rustup\.rs|astral\.sh\/uv|(?:deb|rpm)\.nodesource\.com|bun\.sh\/install|get\.docker\.com|install\.python-poetry\.org|pdm-project\.org\/install-pdm/
const SCRIPT_RUNNER = /^(?:\/\S*\/)?(?:ba|da|z)?sh$/
const PYTHON = /^(?:\/\S*\/)?python(?:3(?:\.\d+)?)?$/
const KNOWN_MODULES = ['pip', 'venv', 'virtualenv', 'compileall', 'ensurepip']

/**
 * The program of the user's own that a RUN starts, such as a script of the build context or one that is fetched: nobody
 * can tell whether it installs packages. Undefined when there is none.
 */
export function ownProgram(run: Instruction): string | undefined {
  if (run.keyword !== 'RUN') return undefined
  const commands = runText(run)
    .split(/&&|\|\||[;\n]|\|(?!\|)/)
    .map((part) => part.trim())
  for (const [index, command] of commands.entries()) {
    const words = command
      .split(/\s+/)
      .filter((word) => !/^[A-Za-z_]\w*=/.test(word) && word !== 'sudo' && word !== 'then')
    const [program = '', ...args] = words.map((word) => word.replace(/^['"(]|['")]$/g, ''))
    const found = startedBy(program, args, commands[index - 1] ?? '')
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether a shell or Python runs a script that the command before it fetches, and whether that leaves Python's packages alone. */
export function fetchedScript(command: string, before: string): 'known' | 'unknown' | undefined {
  const [program = '', first] = command.split(/\s+/).filter((word) => !/^[A-Za-z_]\w*=/.test(word))
  const isRunner = SCRIPT_RUNNER.test(program) || (PYTHON.test(program) && first === '-')
  if (!isRunner || !/^(?:curl|wget)\b/.test(before)) return undefined
  return KNOWN_SCRIPTS.test(before) ? 'known' : 'unknown'
}

function startedBy(program: string, args: readonly string[], before: string): string | undefined {
  if (SCRIPT_RUNNER.test(program)) {
    const script = args.find((word) => !word.startsWith('-'))
    // `curl … | sh`, with or without options behind it.
    const fetched = fetchedScript(program, before)
    if (fetched !== undefined) return fetched === 'known' ? undefined : `${before.split(/\s/)[0]} | ${program}`
    return script === undefined || args.includes('-c') ? undefined : script
  }
  if (program === 'make' || program === 'just' || program === 'tox' || program === 'nox') return program
  if (PYTHON.test(program)) {
    const [first = '', module = ''] = args
    if (fetchedScript(`${program} ${first}`, before) === 'unknown') return `${before.split(/\s/)[0]} | ${program}`
    if (first === '-m') return KNOWN_MODULES.includes(module) ? undefined : `python -m ${module}`
    return /\.py$/.test(first) ? first : undefined
  }
  return /^\.{1,2}\/\S/.test(program) || /^\/\S+\.(?:sh|py)$/.test(program) ? program : undefined
}
