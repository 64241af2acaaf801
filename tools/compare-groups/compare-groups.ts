import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureUv } from '../services/ensure-uv.ts'
import { machineSettings } from '../services/machine-settings.ts'

const HELP = `Installs many packages once as a whole and once in groups, and compares the union of the groups with the whole, file by file.
  --requirements FILE  what to install; default: requirements.txt beside this program
  --groups NUMBER      default 8; packages are spread over them by a hash of their names
  --python VERSION     default 3.11`

const { values } = parseArgs({
  options: {
    requirements: { type: 'string', default: join(import.meta.dirname, 'requirements.txt') },
    groups: { type: 'string', default: '8' },
    python: { type: 'string', default: '3.11' },
    help: { type: 'boolean', default: false },
  },
})

/** A file's kind, mode and content as one text; what an installer notes of itself is left out. */
type Tree = ReadonlyMap<string, string>
/** Lists of own files name the bytecode and the notes; lock files lie in every folder. */
const NOT_COMPARED = /(?:^|\/)(?:\.lock|INSTALLER|REQUESTED|RECORD|uv_cache\.json)$/
const AT_ONCE = 64

if (values.help) console.log(HELP)
else await compare()

async function compare(): Promise<void> {
  const uv = join(await ensureUv(), 'uv')
  const work = await mkdtemp(join(tmpdir(), 'groups-'))
  const run = (...args: readonly string[]): string =>
    execFileSync(uv, args, {
      env: { ...process.env, ...machineSettings().env, UV_PYTHON_DOWNLOADS: 'never', UV_LINK_MODE: 'hardlink' },
      encoding: 'utf8',
      maxBuffer: 1e8,
    })
  try {
    const options = ['--quiet', '--python-version', values.python, '--no-header', '--no-annotate']
    const lock = run('pip', 'compile', ...options, '--only-binary', ':all:', values.requirements)
    const packages = lock.split('\n').filter((line) => /^[a-z0-9]/.test(line))
    const install = async (lines: readonly string[], folder: string): Promise<Tree> => {
      const file = join(work, 'lines.txt')
      await writeFile(file, `${lines.join('\n')}\n`)
      run('pip', 'install', '--quiet', '--no-deps', '--python-version', values.python, '--target', folder, '-r', file)
      return await readTree(folder)
    }
    const whole = await install(packages, join(work, 'whole'))
    const count = Number(values.groups)
    const union = new Map<string, string>()
    const same: string[] = []
    const different: string[] = []
    for (let group = 0; group < count; group++) {
      const own = packages.filter((name) => groupOf(name, count) === group)
      for (const [path, content] of await install(own, join(work, `group-${group}`))) {
        const there = union.get(path)
        if (there !== undefined && content !== 'folder') (there === content ? same : different).push(path)
        union.set(path, content)
      }
    }
    const wrong = [...new Set([...whole.keys(), ...union.keys()])].filter((path) => whole.get(path) !== union.get(path))
    console.log(
      `${packages.length} packages, ${whole.size} paths in one install, ${union.size} in ${count} groups together`,
    )
    console.log(`${wrong.length} differences${wrong.map((path) => `\n  ${path}`).join('')}`)
    console.log(
      `${same.length} files are in several groups with the same content${same.map((path) => `\n  ${path}`).join('')}`,
    )
    console.log(`${different.length} with different content${different.map((path) => `\n  ${path}`).join('')}`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function groupOf(line: string, count: number): number {
  const [name = ''] = line.split('==')
  return (createHash('sha256').update(name).digest()[0] ?? 0) % count
}

async function readTree(root: string): Promise<Tree> {
  const paths = (await readdir(root, { recursive: true })).filter((path) => !NOT_COMPARED.test(path))
  const tree = new Map<string, string>()
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const some = paths.slice(at, at + AT_ONCE)
    const read = await Promise.all(some.map((path) => describeFile(join(root, path))))
    for (const [index, path] of some.entries()) tree.set(path, read[index] ?? '')
  }
  return tree
}

async function describeFile(file: string): Promise<string> {
  const stat = await lstat(file)
  if (stat.isDirectory()) return 'folder'
  if (stat.isSymbolicLink()) return `link ${await readlink(file)}`
  return `${(stat.mode & 0o777).toString(8)} ${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`
}
