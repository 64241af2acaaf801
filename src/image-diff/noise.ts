import type { FileNode } from './file-tree.ts'

/** A kind of difference that says nothing about what an image does. */
export interface NoiseRule {
  readonly name: string
  /** For people, one sentence. */
  readonly sentence: string
  /** Paths without a slash at the start. */
  readonly paths: RegExp
  /** `content`: the bytes alone don't count; `all`: it doesn't count whether there is anything. */
  readonly ignores: 'content' | 'all'
  /** The rule holds for what is empty alone: files without bytes, folders. */
  readonly onlyEmpty?: boolean
}

/** The whole list of what a comparison leaves out, besides times, which it never looks at. docs/image-diff.md explains each. */
export const NOISE: readonly NoiseRule[] = [
  {
    name: 'bytecode',
    sentence: 'Compiled Python files must be there, but their bytes hold times or hashes of the source',
    paths: /(?:^|\/)__pycache__\/[^/]+\.pyc$/,
    ignores: 'content',
  },
  {
    name: 'bytecode-of-installers',
    sentence: 'Whether pip, setuptools and wheel are compiled: uv compiles all that is there, whoever brought it',
    paths:
      /\/site-packages\/(?:pip|setuptools|pkg_resources|_distutils_hack|wheel)\/(?:.*\/)?__pycache__(?:\/[^/]+\.pyc)?$/,
    ignores: 'all',
  },
  {
    name: 'bytecode-of-python',
    sentence: "Which modules of Python's own library are compiled: those that some program has imported as root",
    paths: /^usr\/(?:local\/)?lib\/python3[^/]*\/(?!(?:site|dist)-packages\/)(?:.*\/)?__pycache__(?:\/[^/]+\.pyc)?$/,
    ignores: 'all',
  },
  {
    name: 'installer-notes',
    sentence: 'Who installed a package, and whether it was asked for by name',
    paths: /\.dist-info\/(?:INSTALLER|REQUESTED|uv_cache\.json|uv_build\.json)$/,
    ignores: 'all',
  },
  {
    name: 'installed-files-list',
    sentence: "A package's list of its own files, which names the notes and the bytecode",
    paths: /\.dist-info\/RECORD$/,
    ignores: 'content',
  },
  {
    name: 'installer-caches',
    sentence: 'Caches that pip, uv and poetry leave behind in a home folder',
    paths: /^(?:root|home\/[^/]+)\/\.cache(?:\/(?:pip|uv|pypoetry)(?:\/.*)?)?$/,
    ignores: 'all',
  },
  {
    name: 'installer-locks',
    sentence: 'Lock files by which uv keeps other uvs away',
    paths: /(?:^|\/)\.lock$|^tmp\/uv-[^/]*\.lock$/,
    ignores: 'all',
    onlyEmpty: true,
  },
  {
    name: 'installer-homes',
    sentence: 'Empty folders in which pipenv would keep environments',
    paths: /^(?:root|home\/[^/]+)\/\.local(?:\/share(?:\/virtualenvs)?)?$/,
    ignores: 'all',
    onlyEmpty: true,
  },
  {
    name: 'mount-points',
    sentence: 'Empty files and folders that a RUN leaves where something was mounted',
    paths: /^(?:proc|sys|dev|run|run\/secrets|etc\/(?:hosts|resolv\.conf|hostname|mtab)|root\/\.cache)$/,
    ignores: 'all',
    onlyEmpty: true,
  },
  {
    name: 'system-logs',
    sentence: "Logs and caches of the system's package manager, which differ from run to run",
    paths: /^var\/(?:log|cache)\/|^var\/lib\/apt\/|^var\/lib\/dpkg\/[^/]*-old$|^etc\/ld\.so\.cache$/,
    ignores: 'content',
  },
]

/** Lines of small text files that name the tool's own version. */
const NOISY_LINES: readonly { readonly paths: RegExp; readonly line: RegExp }[] = [
  { paths: /(?:^|\/)pyvenv\.cfg$/, line: /^uv = .*\n/gm },
]

/** Console scripts, which pip and uv write from different templates. */
const SCRIPTS = /(?:^|\/)bin\/[^/]+$/
/** First line, module and function; between them each installer's own way to take `.exe` off the script's name. */
const SCRIPT =
  /^(#!.*)\n(?:# -\*- coding: utf-8 -\*-\n)?(?:import re\n)?import sys\n(from \S+ import \S+)\nif __name__ == (?:'__main__'|"__main__"):\n(?: {4,}.*sys\.argv\[0\].*\n)+ {4}sys\.exit\((\S+)\(\)\)\n?$/
/** A first line that names a program and nothing else. */
const PROGRAM = /^#!(\/\S+)$/

/** What of a small file counts. */
export interface Signal {
  readonly bytes: Buffer
  /** The program that runs a console script: compared by the file that it is, since one Python has several names. */
  readonly program?: string
}

/** A file's bytes without what the tool that wrote it has put in by itself. */
export function withoutNoise(path: string, bytes: Buffer): Signal {
  if (SCRIPTS.test(path)) return scriptSignal(bytes)
  const noisy = NOISY_LINES.find(({ paths }) => paths.test(path))
  return {
    bytes: noisy === undefined ? bytes : Buffer.from(bytes.toString('latin1').replaceAll(noisy.line, ''), 'latin1'),
  }
}

function scriptSignal(bytes: Buffer): Signal {
  const [, firstLine, called, main] = SCRIPT.exec(bytes.toString('latin1')) ?? []
  if (firstLine === undefined) return ownScriptSignal(bytes)
  const [, program] = PROGRAM.exec(firstLine) ?? []
  if (program === undefined) return { bytes: Buffer.from(`${firstLine}\n${called}\n${main}\n`, 'latin1') }
  return { bytes: Buffer.from(`${called}\n${main}\n`, 'latin1'), program }
}

/** A script that a package brings: installers write their Python into its first line. */
function ownScriptSignal(bytes: Buffer): Signal {
  const end = bytes.indexOf('\n')
  const [, program] = PROGRAM.exec(bytes.toString('latin1', 0, Math.max(end, 0))) ?? []
  if (program === undefined || !/\/python[\d.]*$/.test(program)) return { bytes }
  return { bytes: bytes.subarray(end), program }
}

/** The rule by which a difference at a path is left out; undefined when it counts. */
export function noiseAt(path: string, a: FileNode | undefined, b: FileNode | undefined): NoiseRule | undefined {
  const isEmpty = [a, b].every((node) => node === undefined || node.kind === 'folder' || node.size === 0)
  return NOISE.find((rule) => {
    if (!rule.paths.test(path) || (rule.onlyEmpty === true && !isEmpty)) return false
    return rule.ignores === 'all' || onlyContentDiffers(a, b)
  })
}

function onlyContentDiffers(a: FileNode | undefined, b: FileNode | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return a.kind === b.kind && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid
}
