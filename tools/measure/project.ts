import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** A Python service whose image is built to be measured. */
export interface Project {
  readonly name: string
  /** Absolute path; only copies of it are built. */
  readonly folder: string
  /** Packages that somebody who splits the install by hand would install first. */
  readonly heavy: readonly string[]
  /** Requirements that are added one after the other. */
  readonly light: readonly string[]
  /** The file of the application that changes, below `folder`. */
  readonly source: string
  /** Bytes of free disk that measuring takes. */
  readonly disk: number
}

const light = ['httpx==0.28.1', 'tenacity==9.0.0', 'python-dotenv==1.0.1', 'cachetools==5.5.0', 'itsdangerous==2.2.0']

export const PROJECTS: readonly Project[] = [
  {
    name: 'small',
    folder: join(root, 'bench/small-service'),
    heavy: ['numpy'],
    light,
    source: 'app/main.py',
    disk: 2e9,
  },
  {
    name: 'sklearn',
    folder: join(root, 'examples/sklearn-service'),
    heavy: ['scikit-learn', 'pandas'],
    light,
    source: 'app/main.py',
    disk: 5e9,
  },
  {
    name: 'torch',
    folder: join(root, 'examples/torch-service'),
    heavy: ['torch', 'transformers'],
    light,
    source: 'app/main.py',
    disk: 40e9,
  },
]

/** A copy that may be changed; each change is another one. */
export interface ProjectCopy {
  readonly folder: string
  /** Adds the next light package; answers its requirement. */
  addLight(): Promise<string>
  changeSource(): Promise<void>
}

/** Copies a project into an empty folder. */
export async function copyProject(project: Project, folder: string): Promise<ProjectCopy> {
  await cp(project.folder, folder, { recursive: true })
  let added = 0
  let changes = 0
  return {
    folder,
    addLight: async () => {
      const requirement = project.light[added]
      if (requirement === undefined) throw new RangeError(`${project.name} has no more light packages to add`)
      added += 1
      await appendFile(join(folder, 'requirements.txt'), `${requirement}\n`)
      return requirement
    },
    changeSource: async () => {
      changes += 1
      await appendFile(join(folder, project.source), `# change ${changes}\n`)
    },
  }
}

const INSTALL = 'COPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n'

/**
 * A project's Dockerfile with its install split in two by hand: the heavy packages, then all of them.
 * @throws RangeError when the Dockerfile has no install of the form that it is made for
 */
export function chainDockerfile(dockerfile: string): string {
  if (!dockerfile.includes(INSTALL)) throw new RangeError('the Dockerfile has no plain install of requirements.txt')
  return dockerfile.replace(INSTALL, `${INSTALL.replaceAll('requirements.txt', 'requirements-heavy.txt')}${INSTALL}`)
}

/** Those lines of a requirements file that ask for one of some packages. */
export function heavyRequirements(requirements: string, heavy: readonly string[]): string {
  const lines = requirements.split('\n').filter((line) => heavy.includes(/^[A-Za-z0-9._-]+/.exec(line)?.[0] ?? ''))
  return `${lines.join('\n')}\n`
}

/** Writes `Dockerfile.chain` and `requirements-heavy.txt` into a copy. */
export async function splitByHand(project: Project, { folder }: ProjectCopy): Promise<void> {
  const [dockerfile, requirements] = await Promise.all(
    ['Dockerfile', 'requirements.txt'].map((name) => readFile(join(folder, name), 'utf8')),
  )
  await writeFile(join(folder, 'Dockerfile.chain'), chainDockerfile(dockerfile ?? ''))
  await writeFile(join(folder, 'requirements-heavy.txt'), heavyRequirements(requirements ?? '', project.heavy))
}
