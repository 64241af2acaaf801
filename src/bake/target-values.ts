import { isJsonList, isJsonRecord, type JsonRecord, textList, textRecord } from '../base/json-value.ts'
import type { BakeTarget } from './bake-definition.ts'

/** A target in the words of the build action's inputs. */
export interface TargetValues {
  /** Raw values of inputs by name. */
  readonly inputs: ReadonlyMap<string, string>
  /** Apart, because their values may have several lines. */
  readonly buildArgs: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** Named contexts but for those that are other targets. */
  readonly contexts: ReadonlyMap<string, string>
  /** Text of the Dockerfile where the bake file holds it. */
  readonly dockerfile: string | undefined
  /** What can't be taken over, each a part of a sentence. */
  readonly problems: readonly string[]
}

/** Inputs that are lists or texts in a bake file, too; an entry that is an object becomes `name=value,…`. */
const LISTS: Readonly<Record<string, string>> = {
  tags: 'tags',
  platforms: 'platforms',
  annotations: 'annotations',
  attest: 'attests',
  'cache-from': 'cache-from',
  'cache-to': 'cache-to',
  'no-cache-filter': 'no-cache-filters',
  ulimits: 'ulimit',
}
const TEXTS: Readonly<Record<string, string>> = {
  target: 'target',
  network: 'network',
  'shm-size': 'shm-size',
  call: 'call',
}
const FLAGS = ['no-cache', 'pull']
/** Read below, or saying nothing of the image. Entitlements are the input `allow`: a file can't grant them to itself. */
const OTHERS = new Set([
  ...['context', 'contexts', 'dockerfile', 'dockerfile-inline', 'args', 'labels', 'secret', 'ssh', 'output'],
  ...['extra-hosts', 'description', 'entitlements', 'policy', 'inherits', 'name', 'matrix'],
])

/** Puts a target into the words of the build action's inputs. What there is no word for is a problem, never left out. */
export function targetValues({ attributes, needs, isWanted }: BakeTarget): TargetValues {
  const known = (name: string): boolean => name in LISTS || name in TEXTS || FLAGS.includes(name) || OTHERS.has(name)
  const problems = Object.keys(attributes)
    .filter((name) => !known(name))
    .map((name) => `${name} is not taken`)
  const inputs = new Map<string, string>()
  for (const [name, input] of Object.entries(LISTS)) inputs.set(input, entriesOf(attributes[name]).join('\n'))
  for (const [name, input] of Object.entries(TEXTS)) inputs.set(input, textOf(attributes[name]))
  for (const name of FLAGS) if (attributes[name] === true) inputs.set(name, 'true')
  const contexts = textRecord(attributes.contexts)
  for (const [name, value] of [...secretsOf(attributes.secret), ...sshOf(attributes.ssh)]) add(inputs, name, value)
  for (const [host, address] of Object.entries(textRecord(attributes['extra-hosts']))) {
    add(inputs, 'add-hosts', `${host}:${address}`)
  }
  // The result of a target that nobody asked for goes nowhere but into those that need it.
  const outputs = isWanted ? entriesOf(attributes.output) : []
  for (const output of outputs) addOutput(inputs, output)
  if (!isWanted) inputs.set('tags', '')
  const context = textOf(attributes.context) || '.'
  inputs.set('context', context)
  const inline = attributes['dockerfile-inline']
  inputs.set('file', dockerfilePath(context, textOf(attributes.dockerfile) || 'Dockerfile'))
  return {
    inputs,
    buildArgs: new Map(Object.entries(textRecord(attributes.args))),
    labels: new Map(Object.entries(textRecord(attributes.labels))),
    contexts: new Map(Object.entries(contexts).filter(([name]) => !needs.has(name))),
    dockerfile: typeof inline === 'string' ? inline : undefined,
    problems,
  }
}

/** A bake file names it as seen from the context, the action as seen from the workspace. */
function dockerfilePath(context: string, dockerfile: string): string {
  const isFolder = !/^[\w+.-]+:|^[\w.-]+@[\w.-]+:|^github\.com\//.test(context)
  return !isFolder || dockerfile.startsWith('/') ? dockerfile : `${context.replace(/\/+$/, '')}/${dockerfile}`
}

function addOutput(inputs: Map<string, string>, output: string): void {
  const fields = new Set(output.split(','))
  const isAlone = [...fields].every((field) => /^(type=(registry|image|docker|cacheonly)|push=true)$/.test(field))
  if (isAlone && (fields.has('type=registry') || (fields.has('type=image') && fields.has('push=true')))) {
    inputs.set('push', 'true')
  } else if (isAlone && fields.has('type=docker')) inputs.set('load', 'true')
  else if (!fields.has('type=cacheonly')) add(inputs, 'outputs', output)
}

function secretsOf(secrets: unknown): readonly (readonly [string, string])[] {
  return recordsOf(secrets).map((secret): readonly [string, string] => {
    const [id, env, src] = [textOf(secret.id), textOf(secret.env), textOf(secret.src)]
    return src === '' ? ['secret-envs', `${id}=${env || id}`] : ['secret-files', `${id || src}=${src}`]
  })
}

function sshOf(agents: unknown): readonly (readonly [string, string])[] {
  return recordsOf(agents).map((agent) => {
    const paths = textList(agent.paths).join(',')
    return ['ssh', `${textOf(agent.id) || 'default'}${paths === '' ? '' : `=${paths}`}`] as const
  })
}

function entriesOf(value: unknown): readonly string[] {
  if (!isJsonList(value)) return typeof value === 'string' ? [value] : []
  return value.flatMap((entry) => {
    if (typeof entry === 'string') return [entry]
    return isJsonRecord(entry) ? [fieldsOf(entry)] : []
  })
}

/** `type=…` first, as people write it. */
function fieldsOf(entry: JsonRecord): string {
  const fields = Object.entries(entry).toSorted(([a], [b]) => Number(b === 'type') - Number(a === 'type'))
  return fields.map(([name, value]) => quoted(`${name}=${String(value)}`)).join(',')
}

function quoted(field: string): string {
  return /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function recordsOf(value: unknown): readonly JsonRecord[] {
  return isJsonList(value) ? value.filter(isJsonRecord) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function add(inputs: Map<string, string>, name: string, line: string): void {
  const before = inputs.get(name)
  inputs.set(name, before ? `${before}\n${line}` : line)
}
