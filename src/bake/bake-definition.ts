import { ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, type JsonRecord, parseJson, textList } from '../base/json-value.ts'

/** A target of a bake file as buildx has worked it out: variables, groups and overrides are filled in. */
export interface BakeTarget {
  readonly name: string
  /** Whether it was asked for, by name or through a group; others are there because these need them. */
  readonly isWanted: boolean
  /** Targets whose result is a named context of this one, by the name of that context. */
  readonly needs: ReadonlyMap<string, string>
  /** Attributes as `buildx bake --print` writes them. */
  readonly attributes: JsonRecord
}

const TARGET = 'target:'

/**
 * Reads what `buildx bake --print` wrote. Needed targets come before those that need them.
 * @throws ImageCacheError E_INPUT when it is no definition, or targets need one another in a circle
 */
export function readBakeDefinition(text: string): readonly BakeTarget[] {
  const json = parseJson(text)
  const { target, group } = isJsonRecord(json) ? json : {}
  if (!isJsonRecord(target)) {
    throw new ImageCacheError('E_INPUT', 'files: buildx printed no targets for them', {
      hint: 'See what `docker buildx bake --print` says.',
    })
  }
  const wanted = new Set(wantedTargets(group))
  const targets = Object.entries(target).map(([name, attributes]): BakeTarget => {
    const record = isJsonRecord(attributes) ? attributes : {}
    return { name, isWanted: wanted.has(name), needs: needsOf(record), attributes: record }
  })
  return inOrder(targets)
}

/** `--print` writes one group, `default`, of what was asked for; groups in it are other groups' names. */
function wantedTargets(groups: unknown, name = 'default', seen: ReadonlySet<string> = new Set()): readonly string[] {
  const group = isJsonRecord(groups) ? groups[name] : undefined
  if (!isJsonRecord(group) || seen.has(name)) return [name]
  return textList(group.targets).flatMap((one) => wantedTargets(groups, one, new Set([...seen, name])))
}

function needsOf({ contexts }: JsonRecord): ReadonlyMap<string, string> {
  const pairs = Object.entries(isJsonRecord(contexts) ? contexts : {})
  return new Map(
    pairs.flatMap(([name, value]) =>
      typeof value === 'string' && value.startsWith(TARGET) ? [[name, value.slice(TARGET.length)]] : [],
    ),
  )
}

function inOrder(targets: readonly BakeTarget[]): readonly BakeTarget[] {
  const done: BakeTarget[] = []
  let left = targets
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name))
    const ready = left.filter(({ needs }) => ![...needs.values()].some((name) => names.has(name)))
    if (ready.length === 0) {
      throw new ImageCacheError('E_INPUT', `files: targets need one another: ${[...names].join(', ')}`, {
        hint: 'A target can stand on another one only if that one does not stand on it.',
      })
    }
    done.push(...ready)
    left = left.filter((target) => !ready.includes(target))
  }
  return done
}
