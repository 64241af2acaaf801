import { satisfies } from '@renovatebot/pep440'

const ATOM = /\s*(\^|~=|~|===?|!=|<=|>=|<|>|=)?\s*(\*|v?\d[\w.*+-]*)\s*,?\s*/y

/**
 * Whether a version meets a constraint as poetry writes it: PEP 440's, with `^1.2`, `~1.2`, `*`, a bare version for
 * "exactly this", and `||` between alternatives.
 * @returns undefined where the constraint isn't understood.
 */
export function meetsConstraint(version: string, constraint: string): boolean | undefined {
  const answers = constraint.split(/\s*\|\|?\s*/).map((part) => meetsAll(version, part))
  if (answers.includes(true)) return true
  return answers.includes(undefined) ? undefined : false
}

function meetsAll(version: string, part: string): boolean | undefined {
  const specifiers: string[] = []
  ATOM.lastIndex = 0
  for (const text = part.trim(); ATOM.lastIndex < text.length; ) {
    const match = ATOM.exec(text)
    if (match === null) return undefined
    const specifier = specifierOf(match[1] ?? '', (match[2] ?? '').replace(/^v/, ''))
    if (specifier === undefined) return undefined
    specifiers.push(specifier)
  }
  const text = specifiers.filter((specifier) => specifier !== '').join(',')
  try {
    return text === '' || satisfies(version, text, { prereleases: true })
  } catch {
    return undefined
  }
}

function specifierOf(operator: string, bound: string): string | undefined {
  if (bound === '*') return operator === '' || operator === '==' || operator === '=' ? '' : undefined
  if (operator === '^' || operator === '~') return rangeFrom(operator, bound)
  return `${operator === '' || operator === '=' ? '==' : operator}${bound}`
}

/** `^`: up to the next change of the first part that isn't 0; `~`: up to the next change of the second part. */
function rangeFrom(operator: '^' | '~', bound: string): string | undefined {
  const release = /^\d+(?:\.\d+)*/.exec(bound)?.[0].split('.').map(Number)
  if (release === undefined) return undefined
  const first = release.findIndex((part) => part !== 0)
  const caret = first < 0 ? release.length - 1 : first
  const at = operator === '^' ? caret : Math.min(1, release.length - 1)
  const end = release.slice(0, at + 1).map((part, index) => (index === at ? part + 1 : part))
  return `>=${bound},<${end.join('.')}.dev0`
}
