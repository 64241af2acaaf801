import type { IndexSettings } from '../python/resolution.ts'

/** Lines of a file, 1-based, both ends included. */
export interface LineRange {
  readonly first: number
  readonly last: number
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

/** An install command that may become layers. */
export interface InstallStep {
  /** The command's own text, for messages. */
  readonly command: string
  readonly lines: LineRange
  /** Index of the stage in the file, 0-based. */
  readonly stage: number
  readonly installer: 'pip' | 'uv'
  readonly requirementFiles: readonly RequirementFile[]
  readonly constraintFiles: readonly RequirementFile[]
  /** Packages named in the command, PEP 508 texts. */
  readonly packages: readonly string[]
  readonly settings: IndexSettings
  /** Whether the command leaves bytecode behind: pip does, uv only when told. */
  readonly bytecode: boolean
}
