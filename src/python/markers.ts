import { satisfies } from '@renovatebot/pep440'
import { normalizeName } from './package-name.ts'
import { machineOf, type WheelTarget } from './wheel-tags.ts'

/** What was asked for beside the package itself; normalised names. */
export interface MarkerChoice {
  /** What `extra` is compared with, and `extras` of PEP 751 holds. */
  readonly extras: ReadonlySet<string>
  /** `dependency_groups` of PEP 751. */
  readonly groups?: ReadonlySet<string>
}

type Token = { readonly kind: 'text' | 'name' | 'operator'; readonly value: string }
type Operand = { readonly value: string; readonly isVersion: boolean }

const TOKEN =
  /\s*(?:"([^"]*)"|'([^']*)'|(===|==|~=|!=|<=|>=|<|>|\(|\)|\bnot\s+in\b|\bin\b|\band\b|\bor\b)|([a-z_][a-z_.]*))/iy
const VERSIONS = new Set(['python_version', 'python_full_version', 'implementation_version'])

/**
 * Tells whether an environment marker (PEP 508, PEP 751) holds on the target: CPython on Linux.
 * @param choice absent: it isn't known here which extras were asked for.
 * @returns undefined when it can't be told: an unknown variable, or a text that isn't a marker.
 */
export function evaluateMarker(marker: string, target: WheelTarget, choice?: MarkerChoice): boolean | undefined {
  const tokens = tokenize(marker)
  if (tokens === undefined) return undefined
  const environment = environmentOf(target)
  let at = 0
  const take = (value: string): boolean => {
    const token = tokens[at]
    const isThere = token?.kind === 'operator' && token.value === value
    if (isThere) at++
    return isThere
  }
  const either = (): boolean | undefined => {
    let result = both()
    while (take('or')) result = or(result, both())
    return result
  }
  const both = (): boolean | undefined => {
    let result = single()
    while (take('and')) result = and(result, single())
    return result
  }
  const single = (): boolean | undefined => {
    if (take('(')) {
      const inner = either()
      if (!take(')')) at = Number.POSITIVE_INFINITY
      return inner
    }
    const [left, operator, right] = tokens.slice(at, at + 3)
    at += 3
    if (left === undefined || operator?.kind !== 'operator' || right === undefined) {
      at = Number.POSITIVE_INFINITY
      return undefined
    }
    const chosen = choice && compareChoice(left, operator.value, right, choice)
    return chosen ?? compare(operand(left, environment), operator.value, operand(right, environment))
  }
  const result = either()
  return at === tokens.length ? result : undefined
}

function tokenize(marker: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  const text = marker.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) return undefined
    const [, double, single, operator, name] = match
    const quoted = double ?? single
    if (quoted !== undefined) tokens.push({ kind: 'text', value: quoted })
    else if (operator !== undefined)
      tokens.push({ kind: 'operator', value: operator.toLowerCase().replace(/\s+/g, ' ') })
    else if (name !== undefined) tokens.push({ kind: 'name', value: name })
  }
  return tokens
}

/** Values of PEP 508's table, "Environment Markers", for CPython on Linux. */
function environmentOf(target: WheelTarget): ReadonlyMap<string, string> {
  const [major = '3', minor = '0', patch = '0'] = target.pythonVersion.split('.')
  const machine = machineOf(target.platform)
  const full = `${major}.${minor}.${patch}`
  return new Map([
    ['os_name', 'posix'],
    ['sys_platform', 'linux'],
    ['platform_system', 'Linux'],
    ['platform_python_implementation', 'CPython'],
    ['implementation_name', 'cpython'],
    ['python_version', `${major}.${minor}`],
    ['python_full_version', full],
    ['implementation_version', full],
    ...(machine === undefined ? [] : [['platform_machine', machine] as const]),
  ])
}

function operand(token: Token, environment: ReadonlyMap<string, string>): Operand | undefined {
  if (token.kind === 'text') return { value: token.value, isVersion: false }
  const value = token.kind === 'name' ? environment.get(token.value) : undefined
  return value === undefined ? undefined : { value, isVersion: VERSIONS.has(token.value) }
}

/** `extra == "gpu"`, `"gpu" in extras`, `"dev" in dependency_groups`; undefined for all other comparisons. */
function compareChoice(left: Token, operator: string, right: Token, choice: MarkerChoice): boolean | undefined {
  const [variable, text] = left.kind === 'name' ? [left, right] : [right, left]
  if (variable.kind !== 'name' || text.kind !== 'text') return undefined
  const set = variable.value === 'dependency_groups' ? choice.groups : choice.extras
  if (!['extra', 'extras', 'dependency_groups'].includes(variable.value) || set === undefined) return undefined
  const isChosen = set.has(normalizeName(text.value))
  if (operator === (variable.value === 'extra' ? '==' : 'in')) return isChosen
  return operator === (variable.value === 'extra' ? '!=' : 'not in') ? !isChosen : undefined
}

function compare(left: Operand | undefined, operator: string, right: Operand | undefined): boolean | undefined {
  if (left === undefined || right === undefined) return undefined
  if (operator === 'in') return right.value.includes(left.value)
  if (operator === 'not in') return !right.value.includes(left.value)
  if (left.isVersion) return versionHolds(left.value, operator, right.value)
  if (right.isVersion) return versionHolds(right.value, MIRRORED.get(operator) ?? operator, left.value)
  if (operator === '==' || operator === '===') return left.value === right.value
  if (operator === '!=') return left.value !== right.value
  return undefined
}

const MIRRORED: ReadonlyMap<string, string> = new Map([
  ['<', '>'],
  ['>', '<'],
  ['<=', '>='],
  ['>=', '<='],
])

function versionHolds(version: string, operator: string, bound: string): boolean | undefined {
  try {
    return satisfies(version, `${operator}${bound}`)
  } catch {
    return undefined
  }
}

function and(a: boolean | undefined, b: boolean | undefined): boolean | undefined {
  if (a === false || b === false) return false
  return a === undefined || b === undefined ? undefined : true
}

function or(a: boolean | undefined, b: boolean | undefined): boolean | undefined {
  if (a === true || b === true) return true
  return a === undefined || b === undefined ? undefined : false
}
