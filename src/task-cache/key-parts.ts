import { redact } from '../base/redact.ts'
import type { TaskSpec } from './task.ts'
import { formatTaskInput } from './task-input.ts'
import { type KeyPart, type PartKind, partDigest } from './task-key.ts'
import { type PolicyParams, policiesOf } from './task-policy.ts'

/** Names of variables whose values are likely secrets. */
const SECRET_NAME = /TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY|AUTH/i
const LONGEST_SHOWN = 80

/** A part whose value is a text, shown where it is short, on one line, and no secret. */
export function textPart(
  kind: PartKind,
  name: string,
  value: string | undefined,
  secrets: readonly string[] = [],
): KeyPart {
  const digest = partDigest(value ?? null)
  const text = value ?? '(not set)'
  const plain = text.length <= LONGEST_SHOWN && !/[\r\n]/.test(text) && redact(text, secrets) === text
  return plain && !SECRET_NAME.test(name) ? { kind, name, digest, shown: text } : { kind, name, digest }
}

/** What a task declares: another interface is another task. */
export function interfacePart({ inputs, outputs }: Pick<TaskSpec, 'inputs' | 'outputs'>): KeyPart {
  const declared = {
    inputs: inputs.map((input) => (input.kind === 'value' ? `value:${input.name}` : formatTaskInput(input))),
    files: outputs.files,
    values: outputs.values,
  }
  const sorted = Object.entries(declared).map(([name, texts]) => [name, [...new Set(texts)].sort()] as const)
  return { kind: 'interface', name: '', digest: partDigest(Object.fromEntries(sorted)) }
}

/**
 * The parts that make up a task's version: the version that was given, and what its policies say.
 * @throws what a policy throws
 */
export async function versionParts(
  task: Pick<TaskSpec, 'cache' | 'policies' | 'version' | 'salt'>,
  params: PolicyParams,
): Promise<readonly KeyPart[]> {
  const given = task.version === undefined ? [] : [textPart('version', '', task.version)]
  const made = await Promise.all(
    policiesOf(task).map(async (policy): Promise<readonly KeyPart[]> => {
      if (policy === 'command') return commandParts(params)
      if (policy === 'code') return codeParts(params)
      if (policy === 'function') return functionParts(params)
      return [textPart('policy', policy.name, await policy.getVersion({ salt: task.salt, params }))]
    }),
  )
  return [...given, ...made.flat()]
}

function commandParts({ run, shell }: PolicyParams): readonly KeyPart[] {
  return [{ kind: 'command', name: '', digest: partDigest(run) }, textPart('shell', '', shell)]
}

function codeParts({ code }: PolicyParams): readonly KeyPart[] {
  return [...code].map(([path, digest]) => ({ kind: 'code' as const, name: path, digest: partDigest(digest) }))
}

function functionParts({ source }: PolicyParams): readonly KeyPart[] {
  return [{ kind: 'function', name: '', digest: partDigest(source ?? null) }]
}
