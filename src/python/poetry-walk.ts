import { compare } from '@renovatebot/pep440'
import type { TomlTable, TomlValue } from 'smol-toml'
import { evaluateMarker } from './markers.ts'
import { normalizeName } from './package-name.ts'
import type { PoetryChoice } from './poetry-groups.ts'
import type { PoetryPackage } from './poetry-lock.ts'
import { meetsConstraint } from './poetry-version.ts'
import { isTable, listOf, tableOf } from './toml-values.ts'
import type { WheelTarget } from './wheel-tags.ts'

/** A package that is asked for by another one or by the project. */
interface Need {
  readonly name: string
  readonly constraint: string
  readonly extras: readonly string[]
}

/** What is asked of one package by all that need it. */
interface Asked {
  readonly constraints: Set<string>
  readonly extras: Set<string>
}

/** A choice of a version may ask for others; this many rounds settle any lock. */
const MOST_ROUNDS = 20

/**
 * The packages of a lock without groups and markers of its own (before 2.1): those that the project's dependencies lead
 * to on the target. Of several versions of one name the newest counts that fits all who need it.
 * @returns a sentence where a marker or a version can't be told
 */
export function walkPoetryLock(
  packages: readonly PoetryPackage[],
  project: TomlTable,
  choice: PoetryChoice,
  target: WheelTarget,
): readonly PoetryPackage[] | string {
  const roots = rootNeeds(project, choice, target)
  if (typeof roots === 'string') return roots
  let chosen: ReadonlyMap<string, PoetryPackage> = new Map()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const asked = follow(roots, chosen, target)
    if (typeof asked === 'string') return asked
    const next = new Map<string, PoetryPackage>()
    for (const [name, { constraints }] of asked) {
      const found = choose(name, constraints, packages, target)
      if (typeof found === 'string') return found
      next.set(name, found)
    }
    const isSettled = next.size === chosen.size && [...next].every(([name, entry]) => chosen.get(name) === entry)
    if (isSettled) return [...next.values()]
    chosen = next
  }
  return 'the versions in poetry.lock depend on each other in a circle'
}

/** All needs that can be reached through the packages chosen so far. */
function follow(
  roots: readonly Need[],
  chosen: ReadonlyMap<string, PoetryPackage>,
  target: WheelTarget,
): ReadonlyMap<string, Asked> | string {
  const asked = new Map<string, Asked>()
  const open = [...roots]
  for (let need = open.pop(); need !== undefined; need = open.pop()) {
    const known = asked.get(need.name)
    const entry = known ?? { constraints: new Set(), extras: new Set() }
    asked.set(need.name, entry)
    const isNew = known === undefined || need.extras.some((extra) => !entry.extras.has(extra))
    entry.constraints.add(need.constraint)
    for (const extra of need.extras) entry.extras.add(extra)
    const found = isNew ? chosen.get(need.name) : undefined
    if (found === undefined) continue
    const needs = needsOf(tableOf(found.table.dependencies), entry.extras, target)
    if (typeof needs === 'string') return needs
    open.push(...needs)
  }
  return asked
}

function choose(
  name: string,
  constraints: ReadonlySet<string>,
  packages: readonly PoetryPackage[],
  target: WheelTarget,
): PoetryPackage | string {
  const all = packages.filter((entry) => entry.name === name)
  const [only] = all
  if (only === undefined) return `${name} is not in poetry.lock`
  if (all.length === 1) return only
  const fitting = all.filter(({ version, table }) => {
    const pythons = typeof table['python-versions'] === 'string' ? table['python-versions'] : '*'
    const meets = [...constraints].every((constraint) => meetsConstraint(version, constraint) === true)
    return meets && meetsConstraint(target.pythonVersion, pythons) === true
  })
  fitting.sort((a, b) => compare(b.version, a.version))
  return fitting[0] ?? `none of the versions of ${name} in poetry.lock fits all that need it`
}

function rootNeeds(
  project: TomlTable,
  { groups, extras }: PoetryChoice,
  target: WheelTarget,
): readonly Need[] | string {
  const poetry = tableOf(tableOf(project.tool).poetry)
  if (tableOf(project.project).dependencies !== undefined)
    return 'a lock of this format does not know the dependencies of [project] in pyproject.toml'
  const optional = new Set(
    Object.entries(tableOf(poetry.extras)).flatMap(([name, needs]) =>
      extras.has(normalizeName(name)) ? listOf(needs).map((need) => normalizeName(String(need))) : [],
    ),
  )
  const main = Object.entries(tableOf(poetry.dependencies)).filter(([name]) => name !== 'python')
  const wanted = main.map(([name, value]): readonly [string, TomlValue] => {
    const kept = specsOf(value).filter((spec) => spec.optional !== true || optional.has(normalizeName(name)))
    return [name, kept.map((spec) => ({ ...spec, optional: false }))]
  })
  const found: TomlTable[] = groups.has('main') ? [Object.fromEntries(wanted)] : []
  if (groups.has('dev')) found.push(tableOf(poetry['dev-dependencies']))
  for (const [name, group] of Object.entries(tableOf(poetry.group)))
    if (groups.has(normalizeName(name))) found.push(tableOf(tableOf(group).dependencies))
  const needs: Need[] = []
  for (const table of found) {
    const read = needsOf(table, new Set(), target)
    if (typeof read === 'string') return read
    needs.push(...read)
  }
  return needs
}

/** The dependencies of a table that hold on the target, with these extras of the package that has them. */
function needsOf(table: TomlTable, extras: ReadonlySet<string>, target: WheelTarget): readonly Need[] | string {
  const needs: Need[] = []
  for (const [name, value] of Object.entries(table)) {
    for (const { version, markers, python, platform, extras: wanted } of specsOf(value)) {
      const holds = [
        typeof markers === 'string' ? evaluateMarker(markers, target, { extras }) : true,
        typeof python === 'string' ? meetsConstraint(target.pythonVersion, python) : true,
        typeof platform === 'string' ? evaluateMarker(`sys_platform == "${platform}"`, target) : true,
      ]
      if (holds.includes(false)) continue
      if (holds.includes(undefined)) return `the marker of ${name} can't be told beforehand: ${JSON.stringify(value)}`
      needs.push({
        name: normalizeName(name),
        constraint: typeof version === 'string' ? version : '*',
        extras: listOf(wanted).map((extra) => normalizeName(String(extra))),
      })
    }
  }
  return needs
}

/** A dependency is a version, a table, or a list of tables for different surroundings. */
function specsOf(value: TomlValue): readonly TomlTable[] {
  if (typeof value === 'string') return [{ version: value }]
  return Array.isArray(value) ? value.filter(isTable) : [tableOf(value)]
}
