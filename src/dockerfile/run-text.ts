import type { Instruction } from './dockerfile.ts'

/** What an instruction runs, as one text to look for words in: the exec form's words joined, heredocs behind the head. */
export function runText({ rest, json, heredocs }: Pick<Instruction, 'rest' | 'json' | 'heredocs'>): string {
  return [json?.join(' ') ?? rest, ...heredocs.map(({ content }) => content)].join('\n')
}
