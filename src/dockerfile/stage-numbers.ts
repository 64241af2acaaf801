import type { Dockerfile } from './dockerfile.ts'
import type { TextEdit } from './text-edit.ts'

/**
 * `COPY --from=0` names a stage by its place, and there are new stages before all others, and one before each stage that
 * was split.
 */
export function shiftedStageNumbers(
  { text, stages }: Dockerfile,
  added: number,
  splits: readonly number[],
  taken: ReadonlySet<number>,
): readonly TextEdit[] {
  return stages.flatMap(({ instructions }) =>
    instructions.flatMap(({ keyword, flags, start, headEnd, lines }) => {
      const from = flags.find(({ name }) => name === 'from')?.value ?? ''
      if (keyword !== 'COPY' || !/^\+?\d+$/.test(from) || taken.has(lines.first)) return []
      const written = /--from=(["']?)(\+?\d+)/.exec(text.slice(start, headEnd))
      if (written === null) throw new RangeError(`the number in --from=${from} is written in an unusual way`)
      const end = start + written.index + written[0].length
      const shift = added + splits.filter((stage) => stage <= Number(from)).length
      return [{ start: end - (written[2] ?? '').length, end, text: String(Number(from) + shift) }]
    }),
  )
}
