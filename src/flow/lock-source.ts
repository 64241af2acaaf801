/** An answer to a question about versions. */
export interface Answered {
  readonly source: 'remembered' | 'asked'
  readonly seconds: number
  readonly storeTrouble: string | undefined
}

/** Where versions came from and how long it took, for a note. */
export function lockSource(...answers: readonly Answered[]): string {
  const trouble = answers.find(({ storeTrouble }) => storeTrouble !== undefined)?.storeTrouble
  const isAsked = answers.some(({ source }) => source === 'asked')
  const seconds = answers.reduce((sum, answer) => sum + answer.seconds, 0)
  const kept = trouble === undefined ? '' : `; not kept: ${trouble}`
  return `${isAsked ? 'asked of the index' : 'remembered'} in ${seconds.toFixed(1)} s${kept}`
}
