import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import { lineDiff } from '../migrate/line-diff.ts'
import { type MigratedWorkflow, migrateWorkflow } from '../migrate/migrate-workflow.ts'
import type { CommandWorld } from './command-world.ts'

export interface MigrateOptions {
  /** What steps are to use. */
  readonly action: string
  /** Write the files rather than show the differences alone. */
  readonly write: boolean
  readonly json: boolean
}

/**
 * `image-cache migrate .github/workflows`: steps that use docker/build-push-action use this action. Shows what would
 * change; writes with `write`. Answers the exit code.
 */
export async function migrateCommand(
  paths: readonly string[],
  { action, write, json }: MigrateOptions,
  world: CommandWorld,
): Promise<number> {
  try {
    const files = (await Promise.all(paths.map(workflowFiles))).flat()
    const results = await Promise.all(
      files.map(async (file) => {
        const before = await readFile(file, 'utf8')
        return { file, before, ...(await migrateWorkflow(before, action)) }
      }),
    )
    if (write) {
      for (const { file, before, text } of results) if (text !== before) await writeFile(file, text)
    }
    const text = json ? JSON.stringify(results.map(toJson), null, 2) : results.flatMap(toLines).join('\n')
    world.stdout.write(`${text === '' ? 'no step uses docker/build-push-action' : text}\n`)
    if (!write && !json && results.some((one) => one.text !== one.before)) {
      world.stderr.write('Nothing is written yet; --write writes it.\n')
    }
    return 0
  } catch (error) {
    const { sentence, hint } = world.failureOf(error)
    world.stderr.write(`error: ${sentence}\n${hint}\n`)
    return 1
  }
}

interface Result extends MigratedWorkflow {
  readonly file: string
  readonly before: string
}

function toJson({ file, before, text, notes }: Result): unknown {
  return { file, changed: text !== before, notes }
}

function toLines({ file, before, text, notes }: Result): readonly string[] {
  if (notes.length === 0) return []
  return [...lineDiff(file, before, text), ...notes.map(({ line, what, why }) => `# ${file}:${line} ${what}: ${why}`)]
}

/** A file itself, or a folder's YAML files. @throws ImageCacheError E_INPUT when there is no such path */
async function workflowFiles(path: string): Promise<readonly string[]> {
  const entry = await stat(path).catch(() => undefined)
  if (entry === undefined) {
    throw new ImageCacheError('E_INPUT', `${JSON.stringify(path)} is not there`, {
      hint: 'Give a workflow, or the folder that holds them: .github/workflows.',
    })
  }
  if (!entry.isDirectory()) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name))
}
