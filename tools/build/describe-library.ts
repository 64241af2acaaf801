import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import {
  isClassDeclaration,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isIdentifier,
  isMethodDeclaration,
  isPrivateIdentifier,
  isPropertyDeclaration,
  isTypeParameterDeclaration,
  isTypeReferenceNode,
} from 'typescript/unstable/ast/is'
import { API, type Checker, type Project, type Symbol as TypeScriptSymbol } from 'typescript/unstable/sync'

const ROOT = join(import.meta.dirname, '../..')
const TOPICS = join(ROOT, 'src/library')
/** The order of the pages in their index. */
const ORDER = ['images', 'layers', 'specs', 'tasks', 'stores', 'registries', 'reports', 'errors']
const NOTE = '<!-- Written by `npm run describe` from the docstrings in src. -->'

/** The reference of the library, and what is wrong with its docstrings. */
export interface LibraryReference {
  /** Text of each page by its path in the repository. */
  readonly pages: ReadonlyMap<string, string>
  /** A sentence for each function, class, parameter or type that is not described, or is named and not exported. */
  readonly problems: readonly string[]
}

/** Something that the library exports. */
interface Export {
  readonly name: string
  readonly topic: string
  readonly declaration: Declaration
  /** The docstring without its tags. */
  readonly text: string
  readonly tags: readonly Tag[]
}

interface Tag {
  readonly name: string
  readonly text: string
}

type Declaration = NonNullable<ReturnType<TypeScriptSymbol['declarations'][number]['resolve']>>

/** Reads the files of `src/library`, a page each, with the compiler that builds the library. */
export function describeLibrary(): LibraryReference {
  const api = new API({ cwd: ROOT })
  try {
    const config = join(ROOT, 'tsconfig.build.json')
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    if (project === undefined) throw new Error('the compiler does not know tsconfig.build.json')
    return referenceOf(project)
  } finally {
    api.close()
  }
}

function referenceOf(project: Project): LibraryReference {
  const topics = readdirSync(TOPICS).map((file) => basename(file, '.ts'))
  const unlisted = topics.filter((topic) => !ORDER.includes(topic)).map((topic) => `${topic} is in no order of pages`)
  const read = ORDER.map((topic) => readTopic(topic, project))
  const all = new Map(read.flatMap(({ exports }) => exports.map((one) => [one.name, one] as const)))
  const pages = read.map(({ topic, intro, exports }) => {
    const entries = exports.map((one) => entryText(one, all))
    const title = topic.charAt(0).toUpperCase() + topic.slice(1)
    return [`docs/api/${topic}.md`, [`# ${title}`, NOTE, intro, ...entries, ''].join('\n\n').trimEnd()] as const
  })
  const index = read.map(({ topic, intro, exports }) => {
    const names = exports.filter(({ declaration }) => isCallable(declaration)).map(({ name }) => link(name, topic))
    return `| [${topic}](${topic}.md) | ${firstSentence(intro)} | ${names.join(', ')} |`
  })
  const heading = [
    '# Reference of the library',
    NOTE,
    'How to use it: [library](../library.md). All of it is imported from `image-cache-action`.',
  ]
  const table = ['| page | what | functions and classes |', '|---|---|---|', ...index].join('\n')
  return {
    pages: new Map(
      [['docs/api/README.md', [...heading, table].join('\n\n')], ...pages].map(([path, text]) => [path, `${text}\n`]),
    ),
    problems: [...unlisted, ...[...all.values()].flatMap((one) => problemsOf(one, all, project.checker))],
  }
}

function readTopic(topic: string, { program, checker }: Project) {
  const file = program.getSourceFile(join(TOPICS, `${topic}.ts`))
  const module = file && checker.getSymbolAtLocation(file)
  if (file === undefined || module === undefined) throw new Error(`src/library/${topic}.ts is not part of the library`)
  const [, comment = ''] = /^\/\*\*\n([\s\S]*?)\*\//.exec(file.text) ?? []
  const intro = comment
    .replace(/^ \* ?/gm, '')
    .replace(/@module.*/s, '')
    .trim()
  const exports = checker.getExportsOfModule(module).map((symbol) => readExport(symbol, topic, checker))
  return { topic, intro, exports: exports.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)) }
}

function readExport(exported: TypeScriptSymbol, topic: string, checker: Checker): Export {
  const symbol = checker.getAliasedSymbol(exported)
  const declaration = symbol.declarations[0]?.resolve()
  if (declaration === undefined) throw new Error(`${exported.name} is not declared`)
  const text = checker.getDocumentationCommentOfSymbol(symbol).trim()
  const tags = checker.getJsDocTagsOfSymbol(symbol).map((tag) => ({ name: tag.name, text: tag.text?.trim() ?? '' }))
  return { name: exported.name, topic, declaration, text, tags }
}

function isCallable(declaration: Declaration): boolean {
  return isFunctionDeclaration(declaration) || isClassDeclaration(declaration)
}

function isPrivate(member: Declaration): boolean {
  return (isMethodDeclaration(member) || isPropertyDeclaration(member)) && isPrivateIdentifier(member.name)
}

function rank({ declaration }: Export): number {
  return isFunctionDeclaration(declaration) ? 0 : isClassDeclaration(declaration) ? 1 : 2
}

function entryText({ name, declaration, text, tags }: Export, all: ReadonlyMap<string, Export>): string {
  const code = declarationText(declaration)
  const parameters = tags.flatMap((tag) => {
    const [, parameter, what] = (tag.name === 'param' && /^(\w+)\s+([\s\S]*)$/.exec(tag.text)) || []
    return parameter === undefined ? [] : [`- \`${parameter}\`: ${oneLine(what)}`]
  })
  const said = (tag: string, word: string): readonly string[] =>
    tags.filter((one) => one.name === tag).map((one) => `- ${word} ${oneLine(one.text)}`)
  const list = [...parameters, ...said('returns', 'returns'), ...said('throws', 'throws')]
  const uses = [...new Set(code.replace(/\/\*\*[\s\S]*?\*\//g, '').match(/\b[A-Z]\w+/g))]
    .flatMap((word) => all.get(word) ?? [])
    .filter((used) => used.name !== name)
    .map((used) => link(used.name, used.topic))
  return [
    `## ${name}`,
    text,
    `\`\`\`ts\n${code}\n\`\`\``,
    ...(list.length === 0 ? [] : [list.join('\n')]),
    ...(uses.length === 0 ? [] : [`See ${uses.join(', ')}.`]),
  ].join('\n\n')
}

/** What a reader needs of a declaration: no bodies, nothing private. */
function declarationText(declaration: Declaration): string {
  if (isFunctionDeclaration(declaration)) return headText(declaration)
  if (!isClassDeclaration(declaration)) return withoutExport(declaration.getText())
  const file = declaration.getSourceFile()
  const head = file.text.slice(declaration.getStart(), declaration.members.pos)
  const members = declaration.members
    .filter((member) => !isPrivate(member))
    .map((member) => {
      const comment = file.text.slice(member.pos, member.getStart()).trim()
      return `${comment === '' ? '' : `  ${comment}\n`}  ${headText(member)}`
    })
  return `${withoutExport(head).trimEnd()}\n${members.join('\n')}\n}`
}

/** A declaration as a caller sees it: without its body, and with `?` where there is a default. */
function headText(node: Declaration): string {
  const { text } = node.getSourceFile()
  const isMethod = isFunctionDeclaration(node) || isMethodDeclaration(node) || isConstructorDeclaration(node)
  if (!isMethod) return node.getText()
  let head = text.slice(node.getStart(), node.body?.pos ?? node.end).trim()
  for (const parameter of node.parameters) {
    const { name, type, initializer } = parameter
    if (initializer !== undefined)
      head = head.replace(parameter.getText(), () => `${name.getText()}?: ${type?.getText() ?? 'string'}`)
  }
  return withoutExport(head).replace(/^async /, '')
}

function withoutExport(text: string): string {
  return text.replace(/^export /, '')
}

function problemsOf({ name, text, tags, declaration }: Export, all: ReadonlyMap<string, Export>, checker: Checker) {
  const problems = text === '' ? [`${name} has no docstring`] : []
  if (isFunctionDeclaration(declaration)) {
    const described = tags.filter((tag) => tag.name === 'param').map((tag) => tag.text.split(/\s/)[0])
    for (const parameter of declaration.parameters) {
      const own = parameter.name.getText()
      if (!described.includes(own)) problems.push(`the parameter ${own} of ${name} is not described`)
    }
  }
  if (isClassDeclaration(declaration)) {
    const { text: source } = declaration.getSourceFile()
    for (const member of declaration.members.filter((one) => isMethodDeclaration(one)))
      if (!isPrivate(member) && !source.slice(member.pos, member.getStart()).includes('/**'))
        problems.push(`${name}.${member.name.getText()} has no docstring`)
  }
  return [
    ...problems,
    ...unknownTypes(declaration, all, checker).map((type) => `${name} names ${type}, which is not exported`),
  ]
}

/** Types of ours that a declaration shows its readers and that they can't import. */
function unknownTypes(declaration: Declaration, all: ReadonlyMap<string, Export>, checker: Checker): readonly string[] {
  const found = new Set<string>()
  const shown = (node: Declaration): void => {
    if (isTypeReferenceNode(node) && isIdentifier(node.typeName)) {
      const symbol = checker.getSymbolAtLocation(node.typeName)
      const target = symbol?.declarations[0]?.resolve()
      const isOurs = target !== undefined && /\/src\/[^:]+\.ts$/.test(target.getSourceFile().fileName)
      if (isOurs && !isTypeParameterDeclaration(target) && !all.has(node.typeName.text)) found.add(node.typeName.text)
    }
    node.forEachChild((child) => {
      if (!isPrivate(child) && !('body' in node && node.body === child)) shown(child)
    })
  }
  shown(declaration)
  return [...found]
}

function link(name: string, topic: string): string {
  return `[${name}](${topic}.md#${name.toLowerCase()})`
}

function oneLine(text: string | undefined): string {
  return (text ?? '').replace(/^- /, '').replace(/\s*\n\s*/g, ' ')
}

function firstSentence(text: string): string {
  return oneLine(/^[\s\S]*?\.(?=\s|$)/.exec(text)?.[0] ?? text).replace(/\.$/, '')
}

if (import.meta.main) {
  const { pages, problems } = describeLibrary()
  mkdirSync(join(ROOT, 'docs/api'), { recursive: true })
  for (const [path, text] of pages) writeFileSync(join(ROOT, path), text)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
}
