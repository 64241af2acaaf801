/** One entry of a requirements file: its text without comment, and the number of its first line. */
export interface LogicalLine {
  readonly line: number
  readonly text: string
}

/**
 * Entries of a requirements file: lines joined over a trailing backslash, comments and empty lines taken out, in the
 * order in which pip does it: a comment line ends a continuation, and `#` begins a comment only after white space, so
 * that `#egg=` of a URL stays.
 */
export function logicalLines(text: string): readonly LogicalLine[] {
  const entries: LogicalLine[] = []
  let pending: { line: number; text: string } | undefined
  const close = (line: number, rest: string): void => {
    const whole = `${pending?.text ?? ''}${rest}`.replace(/(?:^|\s+)#.*$/, '').trim()
    if (whole !== '') entries.push({ line: pending?.line ?? line, text: whole })
    pending = undefined
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|[\n\r]/)
  for (const [index, line] of lines.entries()) {
    const isComment = /^\s*#/.test(line)
    if (line.endsWith('\\') && !isComment) {
      pending = { line: pending?.line ?? index + 1, text: `${pending?.text ?? ''}${line.replace(/\\+$/, '')}` }
    } else {
      close(index + 1, isComment ? ` ${line}` : line)
    }
  }
  if (pending !== undefined) close(lines.length, '')
  return entries
}
