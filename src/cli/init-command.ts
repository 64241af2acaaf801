import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { codeOf, ImageCacheError } from '../base/errors.ts'
import { readStarterProject } from '../flow/read-starter-project.ts'
import { starterWorkflow } from '../starter/starter-workflow.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

export interface InitOptions {
  /** Folder of the project. */
  readonly folder: string
  /** Repository of the image; made of git's remote when undefined. */
  readonly image: string | undefined
  readonly platforms: readonly string[]
  /** `org/image-cache-action@v1`. */
  readonly action: string
  readonly write: boolean
  /** Write over files that are there. */
  readonly force: boolean
  readonly json: boolean
}

const WORKFLOW = '.github/workflows/image.yml'
/** With git's own files in the context every commit would be another content. */
const IGNORED = '.git\n'

/**
 * `image-cache init`: reads a project and shows a workflow for its images; with `write` writes it, and an ignore file
 * where there is none. Answers the exit code.
 */
export function initCommand(options: InitOptions, world: CommandWorld): Promise<number> {
  return runCommand(new Map(), world, async ({ host, deps }) => {
    const root = resolve(options.folder)
    const { images, branch, holdsGit } = await readStarterProject(root, options.image, deps.exec)
    const [repository = '', version = 'v1'] = options.action.split('@')
    const text = starterWorkflow({ images, branch, platforms: options.platforms, action: { repository, version } })
    const files = new Map([[WORKFLOW, text], ...(holdsGit ? [['.dockerignore', IGNORED] as const] : [])])
    if (options.write) await writeAll(root, files, options.force)
    const shown = options.json
      ? JSON.stringify({ written: options.write, files: Object.fromEntries(files) }, null, 2)
      : [...files].map(([path, content]) => `# ${path}\n${content}`).join('\n')
    world.stdout.write(`${shown.trimEnd()}\n`)
    if (!options.write) host.info('Nothing is written yet; --write writes it.')
  })
}

/** @throws ImageCacheError E_INPUT when a file is there and may not be replaced */
async function writeAll(root: string, files: ReadonlyMap<string, string>, force: boolean): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { flag: force ? 'w' : 'wx' }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
      throw new ImageCacheError('E_INPUT', `${path} is there already`, { hint: '`--force` writes over it.' })
    })
  }
}
