/** Where versions came from and how long it took, for a note. */
export function lockSource({
  source,
  seconds,
  storeTrouble,
}: {
  readonly source: 'remembered' | 'asked'
  readonly seconds: number
  readonly storeTrouble: string | undefined
}): string {
  const trouble = storeTrouble === undefined ? '' : `; not kept: ${storeTrouble}`
  return `${source === 'remembered' ? 'remembered' : 'asked of the index'} in ${seconds.toFixed(1)} s${trouble}`
}
