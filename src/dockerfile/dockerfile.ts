import type { Libc } from '../base/libc.ts'
import type { LockSelection } from '../python/lock-pins.ts'
import type { IndexSettings } from '../python/resolution.ts'
import type { LockTool } from '../python/tool-lock.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** Lines of a file, 1-based, both ends included. */
export interface LineRange {
  readonly first: number
  readonly last: number
}

/** A flag between an instruction's keyword and its arguments; `--link` has no value. */
export interface Flag {
  readonly name: string
  readonly value: string | undefined
}

export interface Heredoc {
  readonly name: string
  /** The lines between the word and its end, with their line endings. */
  readonly content: string
}

/** One instruction as BuildKit's parser reads it. Offsets count characters of the file's text. */
export interface Instruction {
  /** Upper case: `RUN`. */
  readonly keyword: string
  readonly flags: readonly Flag[]
  /** What stands after keyword and flags, continuation lines joined, without heredoc bodies. */
  readonly rest: string
  /** The strings of the exec form, where the arguments are a JSON array. */
  readonly json: readonly string[] | undefined
  readonly heredocs: readonly Heredoc[]
  /** Heredoc bodies included. */
  readonly lines: LineRange
  /** Of the first line's first character. */
  readonly start: number
  /** After the last character before the heredoc bodies, without the line ending. */
  readonly headEnd: number
  /** After the last character, without the line ending. */
  readonly end: number
  /** Texts of the comment lines right above, without `#`. */
  readonly comments: readonly string[]
}

/** `# syntax=…` and its like at the top of a file. */
export interface Directive {
  /** Lower case. */
  readonly name: string
  readonly value: string
  readonly line: number
}

export interface Stage {
  /** Place in the file, 0-based. */
  readonly index: number
  /** Lower case, as BuildKit compares them. */
  readonly name: string | undefined
  /** The base as written, build arguments not filled in. */
  readonly base: string
  /** The `--platform` flag as written. */
  readonly platform: string | undefined
  readonly from: Instruction
  /** All but FROM. */
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  /** As errors name it. */
  readonly fileName: string
  /** Byte for byte what was read. */
  readonly text: string
  /** Of the first line. */
  readonly newline: '\n' | '\r\n'
  readonly escapeChar: '\\' | '`'
  readonly directives: readonly Directive[]
  /** ARGs above the first FROM. */
  readonly globalArgs: readonly Instruction[]
  readonly stages: readonly Stage[]
}

/** What the caller of a build decides. */
export interface BuildOptions {
  /** Name of the stage to build; the last one when absent. */
  readonly target?: string | undefined
  readonly buildArgs?: Readonly<Record<string, string>> | undefined
  /** What the image is built for; `linux/amd64` when absent. Fills in TARGETPLATFORM and its like. */
  readonly platform?: string | undefined
  /** Whether steps that surely don't touch the packages are built before their layers. */
  readonly reorder?: boolean | undefined
  /** Where COPY steps are linked: `auto`, or absent, in images with layers of dependencies; `all`, in every one. */
  readonly linkCopies?: 'auto' | 'all' | 'off' | undefined
}

/** The parts of a base image's configuration that steps on top of it depend on (OCI image-spec, config.md). */
export interface BaseImage {
  readonly env: Readonly<Record<string, string>>
  /** Empty or absent: root. */
  readonly user?: string | undefined
  /** Empty or absent: `/`. */
  readonly workingDir?: string | undefined
  /** Docker's own addition to the configuration. */
  readonly shell?: readonly string[] | undefined
  readonly onBuild?: readonly string[] | undefined
  /** Its Python, where its files tell it and not its environment: `3.12`. */
  readonly python?: string | undefined
  /** Its C library, where it tells. */
  readonly libc?: Libc | undefined
  /** What it has in /usr/src and above, where that was looked up: plain folders, and all else. */
  readonly places?: ReadonlyMap<string, 'plain' | 'other'> | undefined
}

/** A build with what must be known from outside to understand its steps. */
export interface BuildView extends BuildOptions {
  /** Configuration of an external base, by the reference that stands in FROM (build arguments filled in). */
  readonly baseImage: (reference: string) => BaseImage
  /** Files of the build context after .dockerignore: relative, `/` between parts. */
  readonly contextFiles: readonly string[]
  /** Those of them that are symbolic links. */
  readonly contextLinks?: ReadonlySet<string>
  /** Folders of the build context whose mode isn't the one that new folders get. */
  readonly oddFolders?: readonly string[]
  /** Texts of the context's pyproject.toml files by their path there, where they were read. */
  readonly projectFiles?: ReadonlyMap<string, string> | undefined
}

/** Why a step stays as the user wrote it: a stable code, one sentence, and the line. */
export interface Refusal {
  readonly code: RefusalCode
  readonly sentence: string
  readonly line: number
}

export type RefusalCode =
  | 'several-commands'
  | 'shell-syntax'
  | 'unknown-option'
  | 'not-only-wheels'
  | 'file-not-found'
  | 'not-root'
  | 'virtual-environment'
  | 'environment'
  | 'python-unknown'
  | 'platform'
  | 'mount'
  | 'stage-base'
  | 'old-syntax'
  | 'resolution-failed'
  | 'switched-off'

/** A requirements file as the step names it and where its content comes from. */
export interface RequirementFile {
  /** Path within the image, absolute. */
  readonly imagePath: string
  /** Path within the build context, relative, `/` between parts. */
  readonly contextPath: string
}

/** Where packages go. */
export interface InstallTarget {
  /**
   * `system`: the Python of the base image; `venv`: an environment; `prefix`: a tree of the same layout elsewhere, `--user`
   * among them; `folder`: all packages flat in one folder (`--target`).
   */
  readonly kind: 'system' | 'venv' | 'prefix' | 'folder'
  /** Top of the tree, absolute; undefined for the system's, which the base image tells. */
  readonly folder: string | undefined
  /** Program that console scripts name, where that is told: `/venv/bin/python`; `python3` of the system. */
  readonly python: string | undefined
  /** Packages that are there before, in a version that is not known. */
  readonly shipped: readonly string[]
  /** Whether the step itself makes the environment, so that the layers must bring it. */
  readonly makesEnvironment: boolean
  /** Whom the packages belong to, as `COPY --chown` names it; absent: root. */
  readonly owner?: string | undefined
}

/** A package that is no wheel of an index, with what is known of its dependencies. */
export interface LocalPackage {
  /** As the command names it. */
  readonly text: string
  /** Its pyproject.toml in the build context, where it is a folder of the context. */
  readonly project: RequirementFile | undefined
  readonly extras: readonly string[]
}

/** A project whose packages a lock file tells: `uv sync`, `poetry install`, `pdm sync`, `pipenv install`. */
export type LockedProject = {
  /** Folder in the image that holds the project's file, absolute. */
  readonly folder: string
  readonly lockFile: RequirementFile
  /** pyproject.toml, or Pipfile. */
  readonly projectFile: RequirementFile
  /** Whether the lock counts as it is, or must fit the project. */
  readonly lock: 'frozen' | 'checked'
  /** Whether the project itself is left out, or all members of its workspace. */
  readonly leavesOut: 'nothing' | 'project' | 'workspace'
} & (
  | {
      readonly tool: 'uv'
      /** Which packages, as arguments of `uv export`. */
      readonly selection: readonly string[]
    }
  | {
      readonly tool: LockTool
      readonly selection: LockSelection
      /** Whether the tool installs, or wrote requirements that pip or uv install. */
      readonly isInstaller: boolean
      /** Whether what is installed from the lock has bytecode. */
      readonly bytecode: boolean
      /** Whether files must have the lock's hashes; without, any file of the version will do. */
      readonly hasHashes: boolean
    }
)

/** An install command that may become layers. */
/** What one command of a step asks for. */
export interface AskedPackages {
  readonly requirementFiles: readonly RequirementFile[]
  readonly constraintFiles: readonly RequirementFile[]
  /** Packages named in the command, PEP 508 texts. */
  readonly packages: readonly string[]
  /** What the step installs besides wheels of an index: then it stays, on top of the layers. */
  readonly locals: readonly LocalPackage[]
}

/** One command of a step, in its turn: it finds what those before it have installed. */
export interface InstallTurn extends AskedPackages {
  /** Whether it takes the newest versions although others that would do are there already. */
  readonly upgrades: boolean
}

export interface InstallStep extends AskedPackages {
  /** The command's own text, for messages. */
  readonly command: string
  readonly lines: LineRange
  /** Index of the stage in the file, 0-based. */
  readonly stage: number
  readonly installer: 'pip' | 'uv'
  readonly target: InstallTarget
  /** Its commands, in their order; none where a lock file alone tells the packages. */
  readonly turns: readonly InstallTurn[]
  /** Where a lock file tells the packages. What the step installs with pip beside it is there before. */
  readonly project: LockedProject | undefined
  /** Set where a tool makes the environment by itself before it installs. */
  readonly makes?:
    | {
        readonly environment: VirtualEnvironment
        /** Makes it and installs nothing. */
        readonly command: string
        /** Whether the step runs nothing else. */
        readonly isAlone: boolean
      }
    | undefined
  /** What else the step does: the command of a RUN that stands before the layers. Undefined: nothing. */
  readonly remainder: string | undefined
  /** Why the step can't be taken apart; layers may then only stand before it. */
  readonly stays: { readonly code: RefusalCode; readonly sentence: string } | undefined
  readonly settings: IndexSettings
  /** Whether only what the command names is installed, and not what that needs. */
  readonly noDeps?: boolean
  /** Whether the command leaves bytecode behind: pip does, uv only when told. Tools with a lock: see the project. */
  readonly bytecode: boolean
}
