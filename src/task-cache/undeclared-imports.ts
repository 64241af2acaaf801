import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { IdentifiedTask } from './identify-task.ts'

const SCRIPT = /\.[cm]?[jt]sx?$/
/** What a relative import may leave out at its end. */
const ENDINGS = ['', '.ts', '.js', '.mts', '.mjs', '.cts', '.cjs', '.tsx', '.jsx', '.json', '/index.ts', '/index.js']
const MOST_TOLD = 5

/**
 * Warns of relative imports in a task's code files whose targets the key doesn't know: a change there would go unseen.
 * JavaScript, TypeScript and Python are read; what can't be read is passed over.
 */
export async function undeclaredImports(root: string, { files }: IdentifiedTask): Promise<readonly string[]> {
  const known = new Set([...files.code.keys(), ...files.inputs.map(({ name }) => name)])
  const warnings: string[] = []
  for (const path of files.code.keys()) {
    if (!SCRIPT.test(path) && !path.endsWith('.py')) continue
    const text = await readFile(join(root, path), 'utf8').catch(() => '')
    for (const specifier of await relativeImports(path, text)) {
      if (isKnown(path, specifier, known)) continue
      warnings.push(`${path} imports ${specifier}, which is not declared as code: its changes go unseen`)
    }
  }
  const more = warnings.length - MOST_TOLD
  return more > 0 ? [...warnings.slice(0, MOST_TOLD), `and ${more} more undeclared imports`] : warnings
}

/** The relative imports of a source text, each once, as they are written; types alone don't count. */
export async function relativeImports(path: string, text: string): Promise<readonly string[]> {
  const found = path.endsWith('.py') ? pythonImports(text) : await scriptImports(text)
  return [...new Set(found)]
}

function isKnown(path: string, specifier: string, known: ReadonlySet<string>): boolean {
  if (path.endsWith('.py')) return pythonTargets(path, specifier).some((target) => known.has(target))
  const target = posix.join(posix.dirname(path), specifier)
  const bare = target.replace(/\.[cm]?jsx?$/, '')
  return [target, bare].some((base) => ENDINGS.some((ending) => known.has(`${base}${ending}`)))
}

async function scriptImports(text: string): Promise<readonly string[]> {
  const { init, parse } = await import('es-module-lexer')
  await init
  try {
    const [imports] = parse(text)
    const specifiers = imports.flatMap((one) => {
      if (one.type === 'static' || one.type === 'reexport-star') return one.typeOnly ? [] : [one.specifier]
      return one.type === 'dynamic' && one.specifier !== undefined && !one.probablyTypeOnly ? [one.specifier] : []
    })
    const required = [...text.matchAll(/\brequire\(\s*['"](\.[^'"]+)['"]\s*\)/g)].flatMap(
      ([, specifier]) => specifier ?? [],
    )
    return [...specifiers, ...required].filter((specifier) => /^\.{1,2}\//.test(specifier))
  } catch {
    return []
  }
}

/** `from .a.b import c`, `from . import d`: relative imports begin a line in Python. */
function pythonImports(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*from[ \t]+(\.+[\w.]*)[ \t]+import[ \t]+([^\n#]+)/gm)].flatMap(
    ([, module = '', names = '']) => {
      if (/[^.]/.test(module)) return [module]
      return [...names.matchAll(/(?:^|[,(])\s*(\w+)/g)].map(([, name = '']) => `${module}${name}`)
    },
  )
}

function pythonTargets(path: string, specifier: string): readonly string[] {
  const [, dots = '.', rest = ''] = /^(\.+)(.*)$/.exec(specifier) ?? []
  const up = Array.from({ length: dots.length - 1 }, () => '..')
  const target = posix.join(posix.dirname(path), ...up, ...rest.split('.'))
  return [`${target}.py`, posix.join(target, '__init__.py')]
}
