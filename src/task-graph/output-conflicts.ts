import type { GraphTask } from './graph-task.ts'

interface Claim {
  readonly task: string
  readonly pattern: string
  /** The folder or file that is claimed whole; undefined for a glob that claims some names only. */
  readonly whole: string | undefined
}

/**
 * Outputs that two tasks claim. What is restored replaces the whole of an output, so the one would take away what the
 * other has made. Globs that name single files (`dist/*.css`) are trusted.
 * @returns a sentence for each
 */
export function outputConflicts(tasks: readonly GraphTask[]): readonly string[] {
  const claims = tasks.flatMap(({ name, spec }) =>
    spec.outputs.files.filter((pattern) => !pattern.startsWith('!')).map((pattern) => claim(name, pattern)),
  )
  const byPlace = new Map<string, Claim>()
  const conflicts: string[] = []
  for (const one of claims) {
    const other = byPlace.get(one.whole ?? one.pattern)
    if (other !== undefined && other.task !== one.task) conflicts.push(sentence(other, one))
    else byPlace.set(one.whole ?? one.pattern, one)
  }
  for (const one of claims) {
    for (const folder of foldersAbove(one.whole ?? one.pattern)) {
      const above = byPlace.get(folder)
      if (above?.whole !== undefined && above.task !== one.task) conflicts.push(sentence(above, one))
    }
  }
  return conflicts
}

function sentence(a: Claim, b: Claim): string {
  return `${a.task} and ${b.task} both make ${JSON.stringify(b.pattern)}${a.pattern === b.pattern ? '' : ` (${a.task}: ${JSON.stringify(a.pattern)})`}`
}

function claim(task: string, pattern: string): Claim {
  const path = pattern
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
    .replace(/\/\*\*(\/\*)?$/, '')
  return { task, pattern, whole: /[*?[\]{}()]/.test(path) ? undefined : path }
}

/** `a/b/c` lies in `a/b` and `a`. */
function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join('/'))
}
