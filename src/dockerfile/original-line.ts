/**
 * Finds the line of the user's Dockerfile that stands at a line of the rewritten one, so that messages name the line
 * that people know. What is added stands above the user's lines, and their order stays: the same text, counted from the
 * end, is the same line.
 * @param line from 1
 * @returns undefined where the line is none of the user's
 */
export function originalLine(original: string, rewritten: string, line: number): number | undefined {
  const before = comparable(original)
  const after = comparable(rewritten)
  const text = after[line - 1]
  if (text === undefined || text === '') return undefined
  const fromEnd = after.slice(line - 1).filter((other) => other === text).length
  const places = before.flatMap((other, index) => (other === text ? [index + 1] : []))
  return places.at(-fromEnd)
}

/** A COPY that was linked is still the user's. */
function comparable(text: string): readonly string[] {
  return text.split(/\r?\n/).map((line) => line.trim().replace(/^(COPY) --link /i, '$1 '))
}
