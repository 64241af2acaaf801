import { redact } from '../base/redact.ts'
import { examineSurroundings } from '../flow/examine-surroundings.ts'
import { findingLines } from '../report/surroundings-report.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/**
 * `image-cache doctor`: what of all that a build needs works here, what doesn't, and what can be done about it. Answers
 * the exit code: 1 when something is broken, 0 also when builds work with less gain.
 */
export function doctorCommand(
  values: ReadonlyMap<string, string>,
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  return runCommand(values, world, async ({ inputs, deps }) => {
    const node = { what: 'node', outcome: 'works', says: process.version, hint: '' } as const
    const findings = [node, ...(await examineSurroundings(inputs, deps))]
    const text = json ? JSON.stringify(findings, null, 2) : findingLines(findings).join('\n')
    world.stdout.write(`${redact(text)}\n`)
    return findings.some(({ outcome }) => outcome === 'broken') ? 1 : 0
  })
}
