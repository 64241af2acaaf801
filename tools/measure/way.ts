import type { BuildReport } from '../../src/report/report.ts'
import type { Project, ProjectCopy } from './project.ts'
import type { Workplace } from './workplace.ts'

/** One build of a project's copy. */
export interface BuildOrder {
  readonly place: Workplace
  readonly copy: ProjectCopy
  /** `registry/path` of the image. */
  readonly repository: string
  /** Called with a few words about what happens just now. */
  readonly onProgress: (words: string) => void
}

/** What a build has to tell of itself. */
export interface WayResult {
  /** From the start of the program to its end. */
  readonly seconds: number
  readonly report: BuildReport
}

/** One way to build an image. */
export interface Way {
  readonly name: string
  /** For tables. */
  readonly title: string
  /** What it is, one sentence. */
  readonly what: string
  /** Prepares a fresh copy of a project. */
  prepare(project: Project, copy: ProjectCopy): Promise<void>
  /** @throws ImageCacheError E_BUILD when the build fails */
  build(order: BuildOrder): Promise<WayResult>
}
