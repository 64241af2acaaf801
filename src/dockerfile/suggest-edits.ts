import type { Dockerfile, Instruction, Refusal } from './dockerfile.ts'
import { isInstallText } from './install-text.ts'
import { readShellChain } from './shell-chain.ts'
import type { TextEdit } from './text-edit.ts'

/** A small edit by which a step that stays might become layers. Whether it does is for the planner to say. */
export interface EditSuggestion {
  readonly line: number
  /** What changes for the image, one sentence. */
  readonly sentence: string
  readonly edits: readonly TextEdit[]
}

/**
 * Thinks of edits for the steps that stay: as small as possible, with the same packages in the image unless the sentence
 * says otherwise.
 */
export function suggestEdits(dockerfile: Dockerfile, refusals: readonly Refusal[]): readonly EditSuggestion[] {
  return refusals.flatMap((refusal) => {
    const instruction = dockerfile.stages
      .flatMap(({ instructions }) => instructions)
      .find(({ lines }) => lines.first === refusal.line)
    if (refusal.code === 'old-syntax') return newSyntax(dockerfile, refusal.line)
    if (instruction === undefined || instruction.keyword !== 'RUN') return []
    switch (refusal.code) {
      case 'shell-syntax':
        return quotedVersions(dockerfile, instruction)
      case 'several-commands':
        return [...ownStep(dockerfile, instruction), ...stopAtFailure(dockerfile, instruction)]
      case 'not-only-wheels':
        return dependenciesFirst(dockerfile, instruction)
      case 'virtual-environment':
        return intoTheSystem(dockerfile, instruction)
      case 'environment':
        return usersWord(dockerfile, instruction)
      default:
        return []
    }
  })
}

function quotedVersions({ text }: Dockerfile, { start, end, lines }: Instruction): readonly EditSuggestion[] {
  const written = text.slice(start, end)
  const versions = [
    ...written.matchAll(/(?<=\s)[A-Za-z0-9][\w.-]*(?:\[[\w,.-]*\])?[<>]=?[\w.*]+(?:,[<>=!~]+[\w.*]+)*(?=\s|$)/g),
  ]
  if (versions.length === 0) return []
  const names = versions.map(([word]) => word).join(', ')
  const edits = versions.map(([word, ...rest], index): TextEdit => {
    const at = start + (versions[index]?.index ?? rest.length)
    return { start: at, end: at + word.length, text: `'${word}'` }
  })
  return [
    {
      line: lines.first,
      sentence: `the shell takes ${names} for a redirection: today any version is installed`,
      edits,
    },
  ]
}

/** Every command a step of its own: other layers, the same files. */
function ownStep({ newline }: Dockerfile, instruction: Instruction): readonly EditSuggestion[] {
  const chain = readShellChain(instruction)
  if ('code' in chain || instruction.heredocs.length > 0 || chain.commands.length < 2) return []
  const flags = instruction.flags
    .map(({ name, value }) => `--${name}${value === undefined ? '' : `=${value}`} `)
    .join('')
  const parts: string[][] = [[]]
  for (const command of chain.commands) {
    if (isInstallText(command)) parts.push([command], [])
    else parts.at(-1)?.push(command)
  }
  const text = parts.filter((part) => part.length > 0).map((part) => `RUN ${flags}${part.join(' && ')}`)
  const sentence = 'the install gets a RUN of its own; settings of one command (cd, export) don’t reach the next RUN'
  return [{ line: instruction.lines.first, sentence, edits: [{ ...placeOf(instruction), text: text.join(newline) }] }]
}

function stopAtFailure({ text }: Dockerfile, instruction: Instruction): readonly EditSuggestion[] {
  const { start, end, rest, heredocs, lines } = instruction
  const sentence = 'the step then stops at the first command that fails, and no longer goes on'
  const [script] = heredocs
  if (script !== undefined) {
    const at = text.indexOf('\n', start) + 1
    return at === 0 ? [] : [{ line: lines.first, sentence, edits: [{ start: at, end: at, text: 'set -e\n' }] }]
  }
  const at = text.slice(start, end).indexOf(rest.slice(0, 8))
  if (at < 0 || !rest.includes(';')) return []
  return [{ line: lines.first, sentence, edits: [{ start: start + at, end: start + at, text: 'set -e; ' }] }]
}

/** What each tool says for "all but the project itself". */
const WITHOUT_PROJECT = [
  [/^uv sync\b/, '--no-install-project'],
  [/^\S*\bpoetry install\b/, '--no-root'],
  [/^\S*\bpdm (?:sync|install)\b/, '--no-self'],
] as const

/** An install of a project in two steps: the packages of others first, which layers take, then the project. */
function dependenciesFirst({ text, newline }: Dockerfile, instruction: Instruction): readonly EditSuggestion[] {
  const { start, end, rest, heredocs, lines } = instruction
  const [, option] = WITHOUT_PROJECT.find(([command]) => command.test(rest)) ?? []
  if (heredocs.length > 0 || option === undefined || /[&|;]|--no-(?:install-|root|self)/.test(rest)) return []
  const written = text.slice(start, end).trimEnd()
  const sentence = 'what the project needs is installed before the project itself, which alone is built'
  const first = `${written} ${option}${newline}`
  return [{ line: lines.first, sentence, edits: [{ start, end: start, text: first }] }]
}

function intoTheSystem(
  { text, newline }: Dockerfile,
  { start, end, rest, lines }: Instruction,
): readonly EditSuggestion[] {
  if (/\bpoetry install\b/.test(rest)) {
    const sentence = 'poetry installs into the image’s own Python, and not into an environment below its cache folder'
    const edits = [{ start, end: start, text: `ENV POETRY_VIRTUALENVS_CREATE=false${newline}` }]
    return [{ line: lines.first, sentence, edits }]
  }
  const at = /\buv\s+pip\s+install\b/.exec(text.slice(start, end))
  if (at === null || /--system|--python/.test(rest)) return []
  const place = start + at.index + at[0].length
  const sentence = 'the packages go into the image’s own Python: an image needs no virtual environment'
  return [{ line: lines.first, sentence, edits: [{ start: place, end: place, text: ' --system' }] }]
}

function usersWord({ newline }: Dockerfile, { start, lines }: Instruction): readonly EditSuggestion[] {
  const sentence = 'your word that the step is a plain install, and that what stands above it changes nothing for it'
  return [{ line: lines.first, sentence, edits: [{ start, end: start, text: `# image-cache: layers${newline}` }] }]
}

function newSyntax({ text }: Dockerfile, line: number): readonly EditSuggestion[] {
  const start =
    text
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length + (line > 1 ? 1 : 0)
  const end = text.indexOf('\n', start)
  if (end < 0) return []
  const sentence = 'the frontend is a newer one of the same kind'
  return [{ line, sentence, edits: [{ start, end, text: '# syntax=docker/dockerfile:1' }] }]
}

function placeOf({ start, end }: Instruction): Pick<TextEdit, 'start' | 'end'> {
  return { start, end }
}
