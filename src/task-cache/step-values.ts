/** What a task wrote to `$GITHUB_OUTPUT`. */
export interface StepValues {
  readonly values: ReadonlyMap<string, string>
  /** Lines that are neither `name=value` nor part of a block. */
  readonly unreadable: readonly string[]
}

/**
 * Reads a file of output values by the rules of the runner (workflow commands, "Setting an output parameter" and
 * "Multiline strings"): `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`. A later value replaces an earlier one.
 */
export function parseStepValues(text: string): StepValues {
  const values = new Map<string, string>()
  const unreadable: string[] = []
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    if (line === '') continue
    const [, blockName, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (blockName !== undefined && delimiter !== undefined) {
      const end = lines.indexOf(delimiter, at + 1)
      if (end === -1) {
        unreadable.push(line)
        break
      }
      values.set(blockName, lines.slice(at + 1, end).join('\n'))
      at = end
      continue
    }
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(line) ?? []
    if (name === undefined || value === undefined) unreadable.push(line)
    else values.set(name, value)
  }
  return { values, unreadable }
}
