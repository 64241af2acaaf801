/** A step of a job as act ran it; `stage` is `Main` or `Post`. */
export interface ActStep {
  readonly job: string
  readonly step: string
  readonly stage: string
  readonly result: string
}

export interface ActAnnotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly file?: string
  readonly line?: number
}

/** What act's log says of a run. */
export interface ActLog {
  /** All lines as people read them, `[job] text`. */
  readonly text: string
  /** Steps in the order in which they ended. */
  readonly steps: readonly ActStep[]
  /** Outputs by `<id of the step>.<output>`; the id of a step without one is its number, from 0. */
  readonly outputs: ReadonlyMap<string, string>
  readonly annotations: readonly ActAnnotation[]
  /** The steps' summaries, one after the other. */
  readonly summary: string
}

/** Reads the lines that `act --json` printed; other lines, such as those of a crash, are kept in the text. */
export function readActLog(lines: readonly string[]): ActLog {
  const text: string[] = []
  const steps: ActStep[] = []
  const outputs = new Map<string, string>()
  const annotations: ActAnnotation[] = []
  let summary = ''
  for (const line of lines) {
    const entry = parse(line)
    if (entry === undefined) {
      text.push(line)
      continue
    }
    const field = (name: string): string => textOf(entry[name])
    text.push(`[${field('job')}] ${field('msg').trimEnd()}`)
    const id = Array.isArray(entry.stepID) ? entry.stepID.map(String).join('.') : ''
    if (field('stepResult') !== '' && id !== '') {
      steps.push({ job: field('jobID'), step: id, stage: field('stage'), result: field('stepResult') })
    }
    const command = field('command')
    if (command === 'set-output') outputs.set(`${id}.${field('name')}`, field('arg'))
    else if (command === 'summary') summary += field('content')
    else if (command === 'error' || command === 'warning' || command === 'notice') {
      annotations.push({ level: command, message: field('arg'), ...placeOf(entry.kvPairs) })
    }
  }
  return { text: text.join('\n'), steps, outputs, annotations, summary }
}

function placeOf(pairs: unknown): { file?: string; line?: number } {
  if (!isRecord(pairs)) return {}
  const { file, line } = pairs
  return {
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof line === 'string' ? { line: Number(line) } : {}),
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) && typeof value.msg === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
