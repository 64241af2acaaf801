import type { InputDescription } from './input-list.ts'

/** An input of a task: in task/action.yml, in a file of tasks, in the workflow's defaults and as an option of the CLI. */
export interface TaskInputDescription extends InputDescription {
  /** Name of the CLI's option; lists are given one value at a time. */
  readonly option: string
  /**
   * What a workflow's default does to it: a task's own value takes its place (`replaced`), is put behind it (`added`),
   * or there can be none (`no`).
   */
  readonly inherits: 'no' | 'replaced' | 'added'
}

function input(
  name: string,
  kind: InputDescription['kind'],
  inherits: TaskInputDescription['inherits'],
  fallback: string,
  description: string,
  option = name,
): TaskInputDescription {
  return { name, kind, inherits, fallback, description, option }
}

/**
 * Inputs of the task action. In task/action.yml those that a workflow may have defaults for are empty, so that "not
 * given" can be told; what they then are stands in `fallback`.
 */
export const TASK_INPUTS: readonly TaskInputDescription[] = [
  input('name', 'text', 'no', '', 'Name of the task. What it did before is found by its name'),
  input('run', 'text', 'no', '', 'Script to run'),
  input(
    'shell',
    'text',
    'replaced',
    'bash',
    'Shell of the script, as in a workflow (`bash`, `sh`, `python`, `perl {0}`)',
  ),
  input('working-directory', 'text', 'no', '.', 'Folder in which the script runs'),
  input('env', 'list', 'added', '', 'Environment of the script, `NAME=VALUE`; part of the key'),
  input(
    'inputs',
    'list',
    'added',
    '',
    'What the result depends on: files, folders and globs, `!glob`, `env:NAME`, `cmd: node --version`, `value: text`',
    'input',
  ),
  input(
    'ignored-inputs',
    'list',
    'added',
    '',
    'Inputs that the task may read though they are no part of the key: globs, `env:NAME`',
    'ignored-input',
  ),
  input(
    'outputs',
    'list',
    'no',
    '',
    'What the task makes: files, folders, globs, and `value:NAME` for named values',
    'output',
  ),
  input('code', 'list', 'no', '', "Files that are the task's own source, part of its version"),
  input('cache', 'text', 'replaced', 'auto', 'How the version is made: `auto`, `override` (by `version`) or `disable`'),
  input('version', 'text', 'no', '', 'Version of the task for `cache: override`'),
  input('policies', 'list', 'replaced', '', 'Policies that add to the version', 'policy'),
  input('salt', 'text', 'replaced', '', 'Any text; another one makes every key new'),
  input('serialize', 'flag', 'replaced', 'false', 'One job runs the task, others wait for its result'),
  input(
    'wait-limit',
    'text',
    'replaced',
    '1h',
    'How long a job waits for the one that runs the task, then runs it itself',
  ),
  input('max-age', 'text', 'replaced', '', 'How old a result may be (`90s`, `15m`, `12h`, `30d`); any age when empty'),
  input('overwrite', 'flag', 'no', 'false', 'Run the task and replace what is stored'),
  input('scope', 'text', 'replaced', '', 'Who shares results; the repository when empty'),
  input('platform', 'text', 'replaced', 'any', 'Part of the key: `any`, `native` (this machine) or a text of your own'),
  input('max-output-size', 'text', 'replaced', '10GB', 'Larger results are not stored (`500MB`, `5GB`)'),
  input(
    'store',
    'text',
    'replaced',
    'auto',
    "Where results are kept: `auto`, `actions` (GitHub's cache), `local` (a folder), `s3://bucket/prefix`, `local+…`, `off`",
  ),
]

/** Outputs of the task action; those that the task declares with `value:NAME` come beside them. */
export const TASK_OUTPUTS: readonly (readonly [name: string, description: string])[] = [
  ['cache-status', '`hit`, `miss`, `disabled`, `overwritten`, `waited`, `taken-over` or `unavailable`'],
  ['key', 'Key of everything that the result depends on'],
  ['why', 'Why the task ran, or where its result came from'],
]
