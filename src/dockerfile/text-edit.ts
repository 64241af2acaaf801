/** A stretch of a text and what is put in its place; `end` is after the last character. */
export interface TextEdit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Applies edits that don't overlap, all other characters untouched. Insertions at one place keep their order.
 * @throws RangeError on edits that overlap.
 */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const sorted = edits.map((edit, order) => ({ ...edit, order })).sort((a, b) => a.start - b.start || a.order - b.order)
  let result = ''
  let at = 0
  for (const edit of sorted) {
    if (edit.start < at) throw new RangeError(`two edits meet at character ${edit.start}`)
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}
