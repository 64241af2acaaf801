import { posix } from 'node:path'
import { isWithin } from './copy-step.ts'
import type { Instruction } from './dockerfile.ts'
import { isForInstallersOnly, isInstallText } from './install-text.ts'
import { fetchedScript } from './own-program.ts'
import { allCommands } from './shell-chain.ts'
import { readShellCommand } from './shell-command.ts'
import { madeEnvironment } from './virtual-environment.ts'

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
/** `python -m pip`, `python -m venv` and `python --version`. */
const PYTHON_SWITCHES = /^(?:-m ?(?:pip|venv)|--version|-V)\b/

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

/** Programs that write to the system's own folders alone. */
const SYSTEM_WRITERS = new Set([
  ...['apk', 'dnf', 'microdnf', 'yum'],
  ...['apt-get', 'apt', 'dpkg-reconfigure', 'update-ca-certificates', 'ldconfig', 'locale-gen', 'update-locale'],
  ...['groupadd', 'addgroup', 'set', 'true', ':', 'echo', 'printf', 'which', 'id', 'whoami', 'uname', 'date', 'sleep'],
])
/** Programs that write where they are told to; of those the second kind also into the working directory. */
const BY_PATH = new Set([
  ...['mkdir', 'rm', 'chown', 'chmod', 'touch', 'useradd', 'adduser', 'usermod', 'ln', 'mv', 'cp', 'tee', 'sed'],
])
const IN_WORKING_DIR = new Set(['curl', 'wget', 'gpg', 'tar', 'git'])
/** A substitution or a deletion, which write no other file. */
const SED_SCRIPT = /^(?:s([/|#,])[^/|#,]*\1[^/|#,]*\1[gi\d]*|\/[^/]*\/d)$/
/** They write nothing. */
const READERS = new Set(['test', '[', 'cat', 'grep', 'export', 'exit', 'dpkg-query', 'sha256sum'])

/**
 * Whether a RUN surely leaves a folder of the image and all below it as it was, folders above it included: system
 * programs that write elsewhere, or programs that are given other paths by name.
 * @param folder absolute.
 * @param workingDir of the step.
 * @param mayMake whether it may make the folder itself, or those above it, as every new folder is made.
 */
export function leavesFolderAlone(run: Instruction, folder: string, workingDir: string, mayMake = false): boolean {
  const pieces = run.json === undefined ? allCommands(run) : [{ text: run.json.join(' '), joint: ';' as const }]
  return (
    pieces?.every(({ text, joint }, index) => {
      // `curl … | sh` of a script that is known to write into root's home and the system's folders alone.
      if (joint === '|' && fetchedScript(text, pieces[index - 1]?.text ?? '') === 'known') return !isHome(folder)
      return commandLeavesAlone(text, folder, workingDir, mayMake)
    }) === true
  )
}

function isHome(folder: string): boolean {
  return ['/root', '/usr/local'].some((home) => isWithin(folder, home) || isWithin(home, folder))
}

function commandLeavesAlone(text: string, folder: string, workingDir: string, mayMake: boolean): boolean {
  const isApart = (path: string): boolean => !isWithin(path, folder) && !isWithin(folder, path)
  if ((TOOL_SETUP.test(text) || configuresPoetry(text)) && !isHome(folder)) return true
  const { plain, written } = withoutRedirections(text)
  if (/[`<>]|\$\(/.test(plain) || !written.every(isApart)) return false
  const read = readShellCommand(plain, () => undefined)
  const made = 'code' in read ? undefined : madeEnvironment(read, workingDir)
  if (made !== undefined) return isApart(made.folder)
  const words = plain.split(/\s+/).map((word) => word.replace(/^['"]|['"]$/g, ''))
  const [program = '', ...rest] = words.filter((word) => !/^[A-Za-z_]\w*=/.test(word))
  if (program === '' || SYSTEM_WRITERS.has(program) || READERS.has(program)) return true
  if (/^pip3?$/.test(program) && isInstallText(text) && isForInstallersOnly(text)) return true
  const [, environment] = /^(\/\S+)\/bin\/pip3?$/.exec(program) ?? []
  if (environment !== undefined && isForInstallersOnly(text)) return isApart(environment)
  // In `/` a file of any name comes to lie there, but archives and repositories bring folders as well.
  const isLoose = IN_WORKING_DIR.has(program) && (workingDir !== '/' || program === 'tar' || program === 'git')
  if (isLoose && !isApart(workingDir)) return false
  if (!BY_PATH.has(program) && !IN_WORKING_DIR.has(program)) return false
  const isPlainMkdir =
    mayMake && program === 'mkdir' && rest.every((word) => !/^-(?:[^-]*m|-mode|Z|-context)/.test(word))
  const named = program === 'sed' ? rest.filter((word) => !SED_SCRIPT.test(word)) : rest
  return named.flatMap(pathIn).every((path) => {
    if (/[$~]/.test(path)) return false
    const fixed = posix.resolve(workingDir, path.replace(/[*?[].*$/, ''))
    const isPattern = /[*?[]/.test(path)
    // Names of users and modes are no paths; where they might be, they count as such.
    const isName = /^(?:user|add|group)/.test(program) && !path.includes('/')
    if (isPlainMkdir && !isPattern && isWithin(folder, fixed)) return true
    return isName || (isApart(fixed) && !(isPattern && folder.startsWith(fixed)))
  })
}

/** Takes off redirections to plain files, and says which files they write. */
function withoutRedirections(text: string): { readonly plain: string; readonly written: readonly string[] } {
  const quiet = text.replace(/[12&]?>\s*\/dev\/null|2>&1|1?>&2/g, '')
  const redirection = /(?:^|\s)>>?\s*(\/[\w./-]+)(?=\s|$)/g
  return {
    plain: quiet.replace(redirection, ''),
    written: [...quiet.matchAll(redirection)].map(([, path = '']) => path),
  }
}

/** The path in a word: `x`, `--output=/x`, `-C/x`. */
function pathIn(word: string): readonly string[] {
  if (!word.startsWith('-')) return [word]
  const path = /^-[^/]*?(\/.*)$/.exec(word)?.[1] ?? word.split('=')[1]
  return path === undefined ? [] : [path]
}

/** Tools that install what a lock says, and leave the lock as it is. */
const LOCKED_INSTALL = /^(?:\S*\/)?(?:poetry install|poetry run true|pdm (?:sync|install)|pipenv (?:install|sync))\b/

/** Ways to get a tool that has a folder of its own below root's, or to ask it. */
const TOOL_SETUP = /^(?:pipx install (?:poetry|pdm|pipenv)\S*|\S*\bpoetry (?:--version|self add \S+))$/

/** `poetry config` writes to the home folder. */
function configuresPoetry(text: string): boolean {
  return /^\S*\bpoetry\s+config\s+(?!.*--local)[\w.-]+ [\w.:/-]+$/.test(text)
}

function isSystemCommand(command: string): boolean {
  if (configuresPoetry(command) || LOCKED_INSTALL.test(command)) return true
  const words = command.split(/\s+/).filter((word) => !/^[A-Za-z_]\w*=/.test(word))
  const [given, ...rest] = words
  if (given === undefined || given === '') return true
  // An environment's own.
  const program = given.replace(/^[\w./-]*\/bin\/(?=(?:pip|python)[\d.]*$)/, '')
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
