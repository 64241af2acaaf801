import { formatBytes } from '../base/bytes.ts'
import { redact } from '../base/redact.ts'
import { findBuilder } from '../buildx/builder.ts'
import { readContent } from '../flow/read-content.ts'
import { type Suggestion, suggest } from '../flow/suggest.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** `image-cache suggest`: the smallest edits by which more of a Dockerfile becomes layers, as diffs. Changes nothing. */
export function suggestCommand(
  values: ReadonlyMap<string, string>,
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  return runCommand(values, world, async ({ inputs: asked, deps }) => {
    const { inputs, source, content } = await readContent(asked, deps)
    const found = await suggest(inputs, source, content, findBuilder(deps.exec, inputs.builder), deps)
    const text = json ? JSON.stringify(found, null, 2) : lines(found).join('\n')
    world.stdout.write(`${redact(text)}\n`)
  })
}

function lines(found: readonly Suggestion[]): readonly string[] {
  if (found.length === 0) return ['Nothing to suggest: no small edit makes more of the Dockerfile layers.']
  return found.flatMap(({ line, sentence, diff, bytes, packages }) => [
    `line ${line}: ${packages} packages more in layers of their own, ${formatBytes(bytes)} that other changes leave alone`,
    `  ${sentence}`,
    diff,
  ])
}
