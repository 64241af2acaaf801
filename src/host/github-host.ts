import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@actions/core'
import { redact } from '../base/redact.ts'
import type { AnnotationPlace, Host, RunContext } from './host.ts'

/** A GitHub Actions job: workflow commands on standard output, the files that the runner reads, annotations. */
export class GithubHost implements Host {
  readonly #secrets: string[] = []

  input(name: string): string {
    return core.getInput(name)
  }

  output(name: string, value: string): void {
    core.setOutput(name, value)
  }

  info(line: string): void {
    core.info(inert(this.#clean(line)))
  }

  /** A line of a user's own command, which the runner reads as that of a `run:` step: workflow commands act. */
  pass(line: string): void {
    core.info(line)
  }

  warning(line: string, place: AnnotationPlace = {}): void {
    core.warning(this.#clean(line), properties(place))
  }

  error(line: string, place: AnnotationPlace = {}): void {
    core.error(this.#clean(line), properties(place))
  }

  debug(line: string): void {
    core.debug(this.#clean(line))
  }

  group(title: string, lines: readonly string[]): void {
    core.startGroup(this.#clean(title))
    for (const line of lines) this.info(line)
    core.endGroup()
  }

  addSecret(value: string): void {
    if (value.trim() === '') return
    this.#secrets.push(value)
    // The runner masks line by line.
    for (const line of value.split(/\r?\n/)) {
      if (line.trim() !== '') core.setSecret(line)
    }
  }

  /** A runner without summaries, such as an old one, is no reason to fail. */
  async summary(markdown: string): Promise<void> {
    try {
      await core.summary.addRaw(this.#clean(markdown), true).write()
    } catch (error) {
      core.debug(`no job summary: ${String(error)}`)
      core.summary.emptyBuffer()
    }
  }

  saveState(name: string, value: string): void {
    core.saveState(name, value)
  }

  state(name: string): string {
    return core.getState(name)
  }

  #clean(text: string): string {
    return redact(text, this.#secrets)
  }
}

/**
 * What the runner's environment says of this run (docs.github.com, "Variables reference"). The temporary folder is
 * another one at each call, below `RUNNER_TEMP`, and not made yet.
 */
export function githubContext(env: Readonly<Record<string, string | undefined>>): RunContext {
  const repository = env.GITHUB_REPOSITORY || undefined
  const server = env.GITHUB_SERVER_URL || 'https://github.com'
  const run = env.GITHUB_RUN_ID
  return {
    repository,
    ref: env.GITHUB_REF || undefined,
    commit: env.GITHUB_SHA || undefined,
    runUrl: repository === undefined || !run ? undefined : `${server}/${repository}/actions/runs/${run}`,
    tempDir: join(env.RUNNER_TEMP || tmpdir(), `image-cache-${randomUUID()}`),
    workspace: env.GITHUB_WORKSPACE || process.cwd(),
  }
}

function properties({ title, file, line }: AnnotationPlace): core.AnnotationProperties {
  return {
    ...(title === undefined ? {} : { title }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { startLine: line }),
  }
}

/**
 * A line of a child's output must not act as a workflow command: the runner looks for `::` at the start of a line, and
 * for the older `##[` anywhere.
 */
function inert(text: string): string {
  return text.replace(/^(\s*)::/gm, '$1\u200b::').replaceAll('##[', '#\u200b#[')
}
