import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnnotationProperties } from '@actions/core'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import { redact } from '../base/redact.ts'
import type { AnnotationPlace, Host, RunContext } from './host.ts'

type Core = typeof import('@actions/core')

/**
 * A GitHub Actions job: workflow commands on standard output, the files that the runner reads, annotations. The runner's
 * toolkit takes its time to load, which is best spent while the network is waited for: what is said before `ready` is
 * said then, in the same order.
 */
export class GithubHost implements Host {
  readonly #secrets: string[] = []
  readonly #waiting: ((core: Core) => void)[] = []
  #loading: Promise<Core> | undefined
  #core: Core | undefined

  /** A host that is ready. */
  static async open(): Promise<GithubHost> {
    const host = new GithubHost()
    await host.ready()
    return host
  }

  /** Resolves when all that was said until then is out. */
  async ready(): Promise<void> {
    this.#loading ??= import('@actions/core')
    const core = await this.#loading
    this.#core = core
    for (const say of this.#waiting.splice(0)) say(core)
  }

  /** The runner's environment has them in upper case, with dashes (docs.github.com, "Metadata syntax"). */
  input(name: string): string {
    return (process.env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
  }

  output(name: string, value: string): void {
    this.#say((core) => core.setOutput(name, value))
  }

  info(line: string): void {
    const text = inert(this.#clean(line))
    this.#say((core) => core.info(text))
  }

  /** A line of a user's own command, which the runner reads as that of a `run:` step: workflow commands act. */
  pass(line: string): void {
    this.#say((core) => core.info(line))
  }

  warning(line: string, place: AnnotationPlace = {}): void {
    const text = this.#clean(line)
    this.#say((core) => core.warning(text, properties(place)))
  }

  error(line: string, place: AnnotationPlace = {}): void {
    const text = this.#clean(line)
    this.#say((core) => core.error(text, properties(place)))
  }

  debug(line: string): void {
    const text = this.#clean(line)
    this.#say((core) => core.debug(text))
  }

  group(title: string, lines: readonly string[]): void {
    const text = this.#clean(title)
    this.#say((core) => core.startGroup(text))
    for (const line of lines) this.info(line)
    this.#say((core) => core.endGroup())
  }

  addSecret(value: string): void {
    if (value.trim() === '') return
    this.#secrets.push(value)
    // The runner masks line by line.
    for (const line of value.split(/\r?\n/)) {
      if (line.trim() !== '') this.#say((core) => core.setSecret(line))
    }
  }

  /** A runner without summaries, such as an old one, is no reason to fail. */
  async summary(markdown: string): Promise<void> {
    await this.ready()
    const { summary, debug } = await import('@actions/core')
    try {
      await summary.addRaw(this.#clean(markdown), true).write()
    } catch (error) {
      debug(`no job summary: ${String(error)}`)
      summary.emptyBuffer()
    }
  }

  saveState(name: string, value: string): void {
    this.#say((core) => core.saveState(name, value))
  }

  state(name: string): string {
    return process.env[`STATE_${name}`] ?? ''
  }

  #say(say: (core: Core) => void): void {
    if (this.#core !== undefined) {
      say(this.#core)
      return
    }
    this.#waiting.push(say)
    void this.ready()
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
    isPrivate: isPrivate(env.GITHUB_EVENT_PATH),
  }
}

/** What the event says of its repository; an event that can't be read says nothing. */
function isPrivate(eventPath: string | undefined): boolean | undefined {
  if (!eventPath) return undefined
  try {
    const event = parseJson(readFileSync(eventPath, 'utf8'))
    const repository = isJsonRecord(event) ? event.repository : undefined
    return isJsonRecord(repository) && typeof repository.private === 'boolean' ? repository.private : undefined
  } catch {
    return undefined
  }
}

function properties({ title, file, line }: AnnotationPlace): AnnotationProperties {
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
