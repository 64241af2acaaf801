import { redact } from '../base/redact.ts'
import type { Content } from '../flow/content.ts'
import { type ContentChange, compareContent, partsOf } from '../flow/missed.ts'
import { knownContent } from '../flow/read-content.ts'
import type { Source } from '../flow/source.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** What `image-cache key` is to show besides the key. */
export interface KeyOptions {
  readonly json: boolean
  readonly explain: boolean
}

/**
 * `image-cache key`: the content key of an image; with `explain` its parts, and what changed since the last build that
 * the store remembers. Builds nothing. Answers the exit code.
 */
export function keyCommand(
  values: ReadonlyMap<string, string>,
  { json, explain }: KeyOptions,
  world: CommandWorld,
): Promise<number> {
  return runCommand(values, world, async ({ inputs: asked, deps }) => {
    const { inputs, source, content } = await knownContent(asked, deps)
    const change = explain ? await compareContent(inputs, source, content, deps.store) : undefined
    const text = json ? keyJson(source, content, change) : keyLines(source, content, change).join('\n')
    world.stdout.write(`${redact(text)}\n`)
  })
}

function keyJson(source: Source, content: Content, change: ContentChange | undefined): string {
  const explained = change && {
    parts: Object.fromEntries(partsOf(content).map(({ name, value }) => [name, value])),
    files: Object.fromEntries(source.files.entries),
    since: change.kind === 'compared' ? { key: change.before.key, at: new Date(change.before.at).toISOString() } : null,
    changes: change.kind === 'compared' ? change.changes.map(({ name, what }) => ({ name, what })) : null,
  }
  return JSON.stringify({ key: content.key, ...explained }, null, 2)
}

function keyLines(source: Source, content: Content, change: ContentChange | undefined): readonly string[] {
  if (change === undefined) return [content.key]
  const parts = partsOf(content).map(({ name, value }) => `  ${name}: ${oneLine(value)}`)
  return [
    content.key,
    `  context: ${source.files.entries.size} files and folders, ${content.parts.context}`,
    ...parts,
    ...changeLines(content, change),
  ]
}

function changeLines(content: Content, change: ContentChange): readonly string[] {
  if (change.kind === 'nothing-remembered') return ['no earlier build of this image is remembered']
  if (change.kind === 'unavailable') return [`what changed can't be told: ${change.reason}`]
  const { before, changes } = change
  const when = new Date(before.at).toISOString()
  if (before.key === content.key) return [`the same as in the last build (${when})`]
  return [`changed since the last build (${when}):`, ...changes.map(({ name, what }) => `  ${what} ${name}`)]
}

function oneLine(value: string): string {
  const [line = ''] = value.split('\n')
  return value.includes('\n') || line.length > 120 ? `${line.slice(0, 100)}... (${value.length} characters)` : line
}
