import type { Instruction } from './dockerfile.ts'

/** One `--mount` of a RUN, values as written. */
export interface RunMount {
  /** `bind` when the flag names none. */
  readonly type: string
  readonly from: string | undefined
  readonly source: string
  readonly target: string
}

/** Reads the `--mount` flags of a RUN (Dockerfile reference, "RUN --mount"). */
export function runMounts(run: Instruction): readonly RunMount[] {
  return run.flags
    .filter(({ name }) => name === 'mount')
    .map(({ value = '' }) => {
      const fields = new Map<string, string>()
      for (const field of csvFields(value)) {
        const equals = field.indexOf('=')
        if (equals > 0) fields.set(field.slice(0, equals).toLowerCase(), field.slice(equals + 1))
      }
      const first = (...names: readonly string[]): string =>
        names.map((name) => fields.get(name)).find((v) => v !== undefined) ?? ''
      return {
        type: first('type').toLowerCase() || 'bind',
        from: fields.get('from') || undefined,
        source: first('source', 'src'),
        target: first('target', 'dst', 'destination'),
      }
    })
}

/** One line of comma-separated values; a field in double quotes may hold commas. */
function csvFields(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}
