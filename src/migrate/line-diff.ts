/** Lines around a change that are shown with it. */
const AROUND = 2

/**
 * The differences of two texts as people read them (and `patch` takes them), for texts where lines were replaced one for
 * one or added. Nothing when they are equal.
 */
export function lineDiff(file: string, before: string, after: string): readonly string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const rows: { readonly kind: ' ' | '-' | '+'; readonly text: string; readonly old: number; readonly now: number }[] =
    []
  let at = 0
  for (const [index, text] of old.entries()) {
    const here = now[at]
    if (here === text) rows.push({ kind: ' ', text, old: index, now: at })
    else {
      // A line that comes back right below was not replaced: another was put before it.
      const isAdded = now[at + 1] === text
      if (!isAdded) rows.push({ kind: '-', text, old: index, now: at })
      rows.push({ kind: '+', text: here ?? '', old: isAdded ? index : index + 1, now: at })
      if (isAdded) {
        at += 1
        rows.push({ kind: ' ', text, old: index, now: at })
      }
    }
    at += 1
  }
  const near = rows.map((_, index) =>
    rows.slice(Math.max(0, index - AROUND), index + AROUND + 1).some(({ kind }) => kind !== ' '),
  )
  const lines: string[] = []
  for (let start = near.indexOf(true); start >= 0; start = near.indexOf(true, start)) {
    const stop = near.indexOf(false, start)
    const hunk = rows.slice(start, stop < 0 ? rows.length : stop)
    const [first] = hunk
    if (first === undefined) break
    const count = (kind: string): number => hunk.filter((row) => row.kind === ' ' || row.kind === kind).length
    lines.push(
      `@@ -${first.old + 1},${count('-')} +${first.now + 1},${count('+')} @@`,
      ...hunk.map(({ kind, text }) => kind + text),
    )
    start += hunk.length
  }
  return lines.length === 0 ? [] : [`--- ${file}`, `+++ ${file}`, ...lines]
}
