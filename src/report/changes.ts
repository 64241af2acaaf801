/** Something that differs from the last build of an image. */
export interface ReportChange {
  /** `src/app.py`, `data/` for a whole folder, `base image python:3.12-slim`. */
  readonly name: string
  readonly what: 'changed' | 'new' | 'gone'
  readonly isFile: boolean
}

/**
 * Changes as one line: `src/app.py, src/new.py (new), base image python:3.12-slim`. Of many files the first are named;
 * what isn't a file is always named.
 */
export function changesLine(changes: readonly ReportChange[], most = 5): string {
  const files = changes.filter(({ isFile }) => isFile)
  const named = files.slice(0, most).map(changeText)
  const left = files.length - named.length
  const more = left === 0 ? [] : [`${left} more ${left === 1 ? 'file' : 'files'}`]
  return [...named, ...more, ...changes.filter(({ isFile }) => !isFile).map(changeText)].join(', ')
}

function changeText({ name, what, isFile }: ReportChange): string {
  const shown = isFile && name === '/' ? 'files of the context' : name
  return what === 'changed' ? shown : `${shown} (${what})`
}
