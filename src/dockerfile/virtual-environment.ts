import { posix } from 'node:path'
import { meansBasePython } from './python-request.ts'
import type { ShellCommand } from './shell-command.ts'
import { isSystemPreference } from './sync-command.ts'

/** A virtual environment that a step makes. */
export interface VirtualEnvironment {
  /** Absolute. */
  readonly folder: string
  /** The program in it that pip's own script names: `python`, `python3`. */
  readonly python: string
  /** Packages that lie in it from the start, in a version that only the base image's Python tells. */
  readonly shipped: readonly string[]
}

const PYTHON = /^(?:\/usr\/local\/bin\/)?(python(?:3(?:\.\d+)?)?)$/
const HARMLESS = [
  '--clear',
  '--upgrade-deps',
  '--symlinks',
  '--allow-existing',
  '--quiet',
  '-q',
  '--no-cache',
  '--no-project',
]
const WITH_VALUE = ['--prompt']

/**
 * The virtual environment that a command makes: `python -m venv`, `virtualenv`, `uv venv`.
 * @param pythonVersion of the base image: `3.12.4`
 * @returns undefined when it makes none, or one of an unusual kind, whose layout is not known.
 */
export function madeEnvironment(
  { words }: ShellCommand,
  workingDir: string,
  pythonVersion?: string,
): VirtualEnvironment | undefined {
  const [program = '', ...given] = words
  // `-mvenv` is `-m venv`.
  const rest = given[0]?.startsWith('-mv') === true ? ['-m', given[0].slice(2), ...given.slice(1)] : given
  const [, python] = PYTHON.exec(program) ?? []
  if (python !== undefined && rest[0] === '-m' && (rest[1] === 'venv' || rest[1] === 'virtualenv')) {
    const shipped = rest[1] === 'venv' ? ['pip', 'setuptools'] : ['pip', 'setuptools', 'wheel']
    return made(rest.slice(2), workingDir, python, shipped)
  }
  if (program === 'virtualenv') return made(rest, workingDir, 'python', ['pip', 'setuptools', 'wheel'])
  if (program === 'uv' && rest[0] === 'venv') {
    const seeded = rest.includes('--seed')
    const options = withoutPython(
      rest.slice(1).filter((word) => word !== '--seed'),
      pythonVersion,
    )
    return made(options.length === 0 ? ['.venv'] : options, workingDir, 'python', seeded ? ['pip'] : [])
  }
  return undefined
}

/** Options of `uv venv` without those that ask for the base image's own Python. */
function withoutPython(words: readonly string[], pythonVersion: string | undefined): readonly string[] {
  return words.filter((word, at) => {
    if (word === '--python-preference') return !isSystemPreference(words[at + 1])
    if (words[at - 1] === '--python-preference') return !isSystemPreference(word)
    const [, joined] = /^(?:--python|-p)(?:=|$)(.*)$/.exec(word) ?? []
    if (joined !== undefined) return !meansBasePython(joined || (words[at + 1] ?? ''), pythonVersion)
    const isValue = words[at - 1] === '--python' || words[at - 1] === '-p'
    return !isValue || !meansBasePython(word, pythonVersion)
  })
}

function made(
  args: readonly string[],
  workingDir: string,
  python: string,
  shipped: readonly string[],
): VirtualEnvironment | undefined {
  let folder: string | undefined
  let contents = shipped
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (word === '--without-pip' || word === '--no-seed') contents = []
    else if (WITH_VALUE.includes(word)) at++
    else if (word.startsWith('--prompt=') || HARMLESS.includes(word)) continue
    else if (word.startsWith('-') || folder !== undefined) return undefined
    else folder = posix.resolve(workingDir, word)
  }
  return { folder: folder ?? posix.resolve(workingDir, '.venv'), python, shipped: contents }
}
