import { access, readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import type { Exec } from '../exec/exec.ts'
import { parseReference } from '../registry/reference.ts'
import type { StarterImage, StarterProject } from '../starter/starter-workflow.ts'

/** How deep Dockerfiles are looked for below the project's folder. */
const DEEPEST = 3
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', '.git', '.github', '.venv', 'venv', 'dist'])

/** What a project says of the images that it makes. */
export interface ReadProject extends Pick<StarterProject, 'images' | 'branch'> {
  /** Whether the project's folder is a context that nothing is left out of, not even git's own files. */
  readonly holdsGit: boolean
}

/**
 * Reads the images of a project out of its Dockerfiles, and their names out of git's remote: one image has the
 * repository's own name, several are named by their folders below it.
 * @param root the project's folder
 * @param image name to take instead of that of the remote
 * @throws ImageCacheError E_DOCKERFILE when there is no Dockerfile, E_INPUT when there is no name
 */
export async function readStarterProject(root: string, image: string | undefined, exec: Exec): Promise<ReadProject> {
  const git = async (...args: readonly string[]): Promise<string | undefined> => {
    const answer = await exec.run('git', args, { cwd: root }).catch(() => undefined)
    return answer?.exitCode === 0 ? answer.stdout.trim() : undefined
  }
  const paths = (await dockerfilesIn(root, 0)).map((path) => relative(root, path)).sort()
  if (paths.length === 0) {
    throw new ImageCacheError('E_DOCKERFILE', `there is no Dockerfile in ${root} or its folders`, {
      hint: 'Write one first: the workflow is made for the Dockerfiles of a project.',
    })
  }
  const name = image ?? imageOfRemote(await git('remote', 'get-url', 'origin'))
  if (name === undefined) {
    throw new ImageCacheError('E_INPUT', "image: git knows no remote that the image's name could be made of", {
      hint: 'Give it: `image-cache init --image ghcr.io/org/app`.',
    })
  }
  const images = imagesOf(paths, name)
  const head = await git('symbolic-ref', '--short', 'refs/remotes/origin/HEAD')
  return {
    images,
    branch: head?.replace(/^origin\//, '') ?? 'main',
    holdsGit: images.some(({ context }) => context === '.') && !(await isThere(join(root, '.dockerignore'))),
  }
}

function imagesOf(paths: readonly string[], name: string): readonly StarterImage[] {
  const labels = paths.map((path) => labelOf(path, (folder) => folder.split('/').at(-1) ?? ''))
  return paths.map((path, index) => {
    const isAlone = labels.filter((label) => label === labels[index]).length === 1
    const label = isAlone ? (labels[index] ?? '') : labelOf(path, (folder) => folder.replaceAll('/', '-'))
    const image = paths.length === 1 || label === '' ? name : `${name}/${label}`
    const reference = parseReference(image)
    if (typeof reference === 'string') {
      throw new ImageCacheError('E_INPUT', `image: ${JSON.stringify(image)} ${reference}`, {
        hint: 'Give a name that registries take: `image-cache init --image ghcr.io/org/app`.',
      })
    }
    const context = dirname(path)
    const file = path === join(context, 'Dockerfile') ? undefined : path
    return { context, file, image, registry: reference.registry, label: paths.length === 1 ? '' : label }
  })
}

/** What tells an image from the project's others: its folder, and what its Dockerfile's name ends in. */
function labelOf(path: string, ofFolder: (folder: string) => string): string {
  const folder = dirname(path)
  const [, ending = ''] = /Dockerfile\.(.+)$/.exec(path) ?? []
  const words = [folder === '.' ? '' : ofFolder(folder), ending].filter((word) => word !== '')
  return words.join('-').toLowerCase()
}

async function dockerfilesIn(folder: string, depth: number): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const found = entries.map(async (entry): Promise<readonly string[]> => {
    const path = join(folder, entry.name)
    if (entry.isFile()) return /^Dockerfile(\.(?!dockerignore$)[\w-]+)?$/.test(entry.name) ? [path] : []
    if (!entry.isDirectory() || depth >= DEEPEST || SKIPPED.has(entry.name)) return []
    return await dockerfilesIn(path, depth + 1)
  })
  return (await Promise.all(found)).flat()
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** `git@github.com:Org/App.git` and `https://github.com/Org/App` are both `ghcr.io/org/app`. */
function imageOfRemote(remote: string | undefined): string | undefined {
  const [, owner, name] = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(remote ?? '') ?? []
  return owner === undefined || name === undefined ? undefined : `ghcr.io/${owner}/${name}`.toLowerCase()
}
