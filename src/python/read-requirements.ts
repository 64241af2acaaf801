import type { Obstacle, RequirementLine } from './requirement-line.ts'
import { parseRequirements } from './requirements.ts'
import type { IndexSettings } from './resolution.ts'

/** What a set of requirements files asks for, nested files included. */
export interface CollectedRequirements {
  readonly requirements: readonly RequirementLine[]
  readonly constraints: readonly RequirementLine[]
  /** What the files set, lists added up; files that name different indexes are an obstacle. */
  readonly settings: Partial<IndexSettings>
  readonly onlyBinary: readonly string[]
  readonly obstacles: readonly Obstacle[]
  /** Every file that was read, in the order met: they all decide the result. */
  readonly files: readonly string[]
}

/** The files that a command names with `-r` and with `-c`. */
export interface RequirementPaths {
  readonly requirements: readonly string[]
  readonly constraints: readonly string[]
}

type Collected = {
  -readonly [K in keyof CollectedRequirements]: CollectedRequirements[K] extends readonly (infer T)[]
    ? T[]
    : CollectedRequirements[K]
}

/**
 * Reads requirements files and all files that they name; a file met twice in the same role is read once, so circles
 * end.
 * @param files paths in whatever terms `read` takes (build context or image), `/` between parts.
 * @param read content of a file; undefined when there is none, which becomes an obstacle.
 */
export async function readRequirements(
  files: RequirementPaths,
  read: (path: string) => Promise<string | undefined>,
): Promise<CollectedRequirements> {
  const found: Collected = { requirements: [], constraints: [], settings: {}, onlyBinary: [], obstacles: [], files: [] }
  const seen = new Set<string>()

  const visit = async (
    path: string,
    role: 'requirements' | 'constraints',
    from: string,
    line: number,
  ): Promise<void> => {
    if (seen.has(`${role} ${path}`)) return
    seen.add(`${role} ${path}`)
    const text = /^\.\.(?:\/|$)/.test(path) ? undefined : await read(path)
    if (text === undefined) {
      found.obstacles.push({ code: 'file-not-found', file: from, line, sentence: `the file ${path} can't be read` })
      return
    }
    if (!found.files.includes(path)) found.files.push(path)
    const parsed = parseRequirements(text, path)
    found[role].push(...parsed.lines)
    const index = parsed.settings.indexUrl
    if (index !== undefined && (found.settings.indexUrl ?? index) !== index) {
      // Which one wins depends on the order of lines over files: too fine a point to guess at.
      const sentence = 'the file names another --index-url than a file before it'
      found.obstacles.push({ code: 'unknown-option', file: path, line: 0, sentence })
    }
    found.settings = addSettings(found.settings, parsed.settings)
    found.onlyBinary.push(...parsed.onlyBinary)
    found.obstacles.push(...parsed.obstacles)
    // A file behind -r asks for packages even when a constraints file names it: pip does the same.
    for (const nested of parsed.nested) await visit(nested.path, 'requirements', path, nested.line)
    for (const nested of parsed.constraints) await visit(nested.path, 'constraints', path, nested.line)
  }

  for (const path of files.requirements) await visit(path, 'requirements', path, 0)
  for (const path of files.constraints) await visit(path, 'constraints', path, 0)
  return found
}

/** Settings of a command with those of its files: a file's index replaces the command's, lists add up. */
export function mergeSettings(command: IndexSettings, files: Partial<IndexSettings>): IndexSettings {
  return {
    indexUrl: files.indexUrl ?? command.indexUrl,
    extraIndexUrls: joined(command.extraIndexUrls, files.extraIndexUrls),
    findLinks: joined(command.findLinks, files.findLinks),
    preReleases: command.preReleases || files.preReleases === true,
  }
}

function addSettings(before: Partial<IndexSettings>, more: Partial<IndexSettings>): Partial<IndexSettings> {
  const sum: { -readonly [K in keyof IndexSettings]?: IndexSettings[K] } = { ...before, ...more }
  if (more.extraIndexUrls !== undefined) sum.extraIndexUrls = joined(before.extraIndexUrls, more.extraIndexUrls)
  if (more.findLinks !== undefined) sum.findLinks = joined(before.findLinks, more.findLinks)
  return sum
}

function joined(first: readonly string[] = [], second: readonly string[] = []): readonly string[] {
  return [...new Set([...first, ...second])]
}
