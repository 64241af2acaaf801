/** An annotation as the runner reads it from standard output. */
export interface CommandLine {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly file?: string
  readonly line?: number
}

/** Reads `::error file=…,line=…::message` lines (docs.github.com, "Workflow commands"). */
export function readCommands(text: string): readonly CommandLine[] {
  return text.split('\n').flatMap((row) => {
    const [, level, properties = '', message = ''] = /^::(error|warning|notice)(?: ([^:]*))?::(.*)$/.exec(row) ?? []
    if (level !== 'error' && level !== 'warning' && level !== 'notice') return []
    const pairs = new Map(properties.split(',').map((pair) => splitOnce(pair, '=')))
    const file = pairs.get('file')
    const line = pairs.get('line')
    return [
      {
        level,
        message: unescaped(message),
        ...(file === undefined ? {} : { file: unescaped(file) }),
        ...(line === undefined ? {} : { line: Number(line) }),
      },
    ]
  })
}

/** Reads a file of outputs or state: `name<<delimiter`, lines, `delimiter`. */
export function readFileCommands(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at += 1) {
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(lines[at] ?? '') ?? []
    if (name === undefined || delimiter === undefined) continue
    const end = lines.indexOf(delimiter, at + 1)
    if (end < 0) throw new Error(`${name} has no end`)
    values.set(name, lines.slice(at + 1, end).join('\n'))
    at = end
  }
  return values
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function unescaped(text: string): string {
  return text
    .replaceAll('%0A', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%')
}
