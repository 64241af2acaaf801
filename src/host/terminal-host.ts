import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters, styleText } from 'node:util'
import { redact } from '../base/redact.ts'
import type { AnnotationPlace, Host, RunContext } from './host.ts'

/** Where a terminal host writes to: a stream, or anything that takes text. */
export interface TextSink {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface TerminalHostOptions {
  /** All messages go here (standard error); standard output is left to the command's result. */
  readonly messages: TextSink
  /** Values of inputs by name, as the command line gave them. */
  readonly inputs?: ReadonlyMap<string, string>
  /** The environment, for `NO_COLOR` (no-color.org) and `FORCE_COLOR`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly debug?: boolean
}

type Style = 'red' | 'yellow' | 'dim' | 'bold'

/** A person's terminal: messages as lines, outputs collected for the command to print, no summary, no state. */
export class TerminalHost implements Host {
  readonly #options: TerminalHostOptions
  readonly #color: boolean
  readonly #outputs = new Map<string, string>()
  readonly #secrets: string[] = []

  constructor(options: TerminalHostOptions) {
    this.#options = options
    this.#color = wantsColor(options)
  }

  input(name: string): string {
    return (this.#options.inputs?.get(name) ?? '').trim()
  }

  output(name: string, value: string): void {
    this.#outputs.set(name, value)
  }

  /** The outputs so far, in the order in which they were first set. */
  outputs(): ReadonlyMap<string, string> {
    return new Map(this.#outputs)
  }

  info(line: string): void {
    this.#print(line)
  }

  warning(line: string, place?: AnnotationPlace): void {
    this.#print(`${this.#style('yellow', 'warning:')} ${at(place)}${line}`)
  }

  error(line: string, place?: AnnotationPlace): void {
    this.#print(`${this.#style('red', 'error:')} ${at(place)}${line}`)
  }

  debug(line: string): void {
    if (this.#options.debug === true) this.#print(this.#style('dim', line))
  }

  group(title: string, lines: readonly string[]): void {
    this.#print(this.#style('bold', title))
    for (const line of lines) this.#print(`  ${line}`)
  }

  addSecret(value: string): void {
    if (value.trim() !== '') this.#secrets.push(value)
  }

  async summary(): Promise<void> {
    // A terminal has none: what matters was printed.
  }

  saveState(): void {
    // A command has no post step.
  }

  state(): string {
    return ''
  }

  #print(text: string): void {
    const clean = redact(text, this.#secrets)
    this.#options.messages.write(`${this.#color ? clean : stripVTControlCharacters(clean)}\n`)
  }

  #style(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { validateStream: false }) : text
  }
}

/** A run on a laptop: nothing is known of a repository or a ref. The temporary folder is not made yet. */
export function terminalContext(workspace: string): RunContext {
  return {
    repository: undefined,
    ref: undefined,
    commit: undefined,
    runUrl: undefined,
    tempDir: join(tmpdir(), `image-cache-${randomUUID()}`),
    workspace,
  }
}

function wantsColor({ messages, env = {} }: TerminalHostOptions): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true
  return messages.isTTY === true
}

function at(place: AnnotationPlace | undefined): string {
  if (place?.file === undefined) return ''
  return place.line === undefined ? `${place.file}: ` : `${place.file}:${place.line}: `
}
