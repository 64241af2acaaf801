import { posix } from 'node:path'
import type { Instruction } from './dockerfile.ts'

/** Programs of the system that don't touch files that they aren't given by name. */
const SYSTEM_PROGRAMS = new Set([
  ...['apt-get', 'apt', 'apk', 'yum', 'dnf', 'microdnf', 'apt-key', 'add-apt-repository', 'dpkg', 'dpkg-reconfigure'],
  ...['update-ca-certificates', 'ldconfig', 'locale-gen', 'update-locale', 'pip', 'pip3', 'uv'],
  ...['useradd', 'groupadd', 'adduser', 'addgroup', 'usermod', 'mkdir', 'rm', 'chown', 'chmod', 'ln', 'touch'],
  ...['curl', 'wget', 'gpg', 'sed', 'tee', 'cat', 'echo', 'printf', 'set', 'export', 'true'],
  ...['test', '[', 'which', 'command', 'cd', 'sleep', 'date', 'ls', 'id', 'whoami', 'pwd', 'uname', ':'],
])
/** Programs that write files which they are given by name. */
const WRITERS = /^(?:sed|tee|rm|curl|wget|touch|ln|gpg)$/
/** `python -m pip` and `python --version`. */
const PYTHON_SWITCHES = /^(?:-m pip|--version|-V)\b/

/**
 * Whether a RUN surely leaves a file of the image as it was: only system programs run, and nothing names the file or a
 * pattern that it matches. Scripts and programs of the user's own may do anything.
 * @param path absolute.
 */
export function leavesFileAlone(run: Instruction, path: string): boolean {
  if (run.heredocs.length > 0) return false
  const text = run.json?.join(' ') ?? run.rest
  const name = posix.basename(path)
  if (text.includes(name) || /[`]|\$\(/.test(text)) return false
  const words = text.split(/[\s'"=;|&()]+/)
  if (words.some((word) => /[*?[]/.test(word) && mayMatchPath(word, path))) return false
  return text.split(/&&|\|\||[;|&]/).every((command) => isSystemCommand(command.trim()))
}

function isSystemCommand(command: string): boolean {
  const words = command.split(/\s+/).filter((word) => !/^[A-Za-z_]\w*=/.test(word))
  const [program, ...rest] = words
  if (program === undefined || program === '') return true
  // A variable may hold the file's name.
  if (command.includes('$') && (command.includes('>') || WRITERS.test(program))) return false
  if (/^python(?:3(?:\.\d+)?)?$/.test(program)) return PYTHON_SWITCHES.test(rest.join(' '))
  return SYSTEM_PROGRAMS.has(program)
}

/** A relative pattern may be meant in any folder; an absolute one matches the file or a folder that it lies in. */
function mayMatchPath(pattern: string, path: string): boolean {
  if (!pattern.startsWith('/')) return mayMatch(posix.basename(pattern), posix.basename(path))
  const parts = path.split('/')
  return pattern.split('/').every((part, index) => index < parts.length && mayMatch(part, parts[index] ?? ''))
}

/** Brackets are taken to match anything. */
function mayMatch(pattern: string, name: string): boolean {
  const parts = pattern.match(/\[[^\]]*\]?|./gs) ?? []
  const source = parts.map((part) => {
    if (part === '*') return '.*'
    return part === '?' || part.startsWith('[') ? '.' : part.replace(/[\\^$.+()\]{}|/-]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`).test(name)
}
