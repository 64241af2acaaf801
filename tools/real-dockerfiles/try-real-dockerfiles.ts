import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/base/clock.ts'
import type { FoundBuilder } from '../../src/buildx/builder.ts'
import type { Deps } from '../../src/deps.ts'
import type { Exec, ExecOptions, ExecResult } from '../../src/exec/exec.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { identifyContent } from '../../src/flow/content.ts'
import { type PlannedDockerfile, planDockerfile } from '../../src/flow/plan-dockerfile.ts'
import { readSource } from '../../src/flow/source.ts'
import { TerminalHost, terminalContext } from '../../src/host/terminal-host.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { ensureUv } from '../services/ensure-uv.ts'
import { machineSettings } from '../services/machine-settings.ts'
import { KnownBases } from './known-bases.ts'

/** A Dockerfile of a public repository; paths from the top of the repository. */
interface RealDockerfile {
  readonly repository: string
  readonly commit: string
  readonly dockerfile: string
  /** The build context as the repository's own documents or workflows have it. */
  readonly context: string
}

/** Resolving waits for the index most of the time. */
const AT_ONCE = 4
/** A resolution that takes longer counts as failed. */
const PATIENCE = 120_000

/** As a table can hold them. */
const MOST_REASONS = 3
const LONGEST_REASON = 140

type Answer = 'rewritten' | 'partly' | 'left'

const HELP = `Tries the Dockerfiles of tools/real-dockerfiles/list.json as a new user would, and prints the table of docs/real-dockerfiles.md.
  --mirrors FOLDER  take repositories from FOLDER/owner+name/repo where they lie there, instead of from GitHub
  --only TEXT       those whose repository or path has this text
  --show            print each planned Dockerfile and its steps as well`

const { values } = parseArgs({
  options: {
    mirrors: { type: 'string' },
    only: { type: 'string', default: '' },
    show: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** No builder is needed: versions are resolved with this machine's uv, nothing is built. */
const BUILDER: FoundBuilder = {
  buildx: { command: 'buildx', prefix: [] },
  builder: {
    name: 'none',
    driver: 'remote',
    buildkit: undefined,
    platforms: ['linux/amd64'],
    nodes: [],
    cacheExport: undefined,
  },
}

async function tryAll(): Promise<void> {
  Object.assign(process.env, machineSettings().env)
  process.env.PATH = `${await ensureUv()}:${process.env.PATH ?? ''}`
  const work = await mkdtemp(join(tmpdir(), 'real-dockerfiles-'))
  const counts = new Map<Answer, number>()
  const checkouts = new Map<string, Promise<void>>()
  console.log('| repository | Dockerfile | commit | answer | why |\n|---|---|---|---|---|')
  try {
    const list = await readList()
    for (let at = 0; at < list.length; at += AT_ONCE) {
      const plans = list.slice(at, at + AT_ONCE).map(async (real) => {
        const folder = join(work, `${real.repository.replace('/', '+')}-${real.commit.slice(0, 12)}`)
        const checkout = checkouts.get(folder) ?? checkOut(real, folder)
        checkouts.set(folder, checkout)
        await checkout
        return { real, planned: await plan(real, folder, join(work, 'store')) }
      })
      for (const { real, planned } of await Promise.all(plans)) {
        const answer = answerOf(planned)
        counts.set(answer, (counts.get(answer) ?? 0) + 1)
        const { repository, dockerfile, commit } = real
        const cells = [repository, `\`${dockerfile}\``, commit.slice(0, 12), answer, reasonOf(planned)]
        console.log(`| ${cells.join(' | ')} |`)
        if (values.show) show(planned)
      }
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  console.log(`\n${[...counts].map(([answer, count]) => `${answer}: ${count}`).join(', ')}`)
}

async function readList(): Promise<readonly RealDockerfile[]> {
  const list: unknown = JSON.parse(await readFile(join(import.meta.dirname, 'list.json'), 'utf8'))
  if (!Array.isArray(list)) throw new TypeError('list.json holds no list')
  return list.map(readEntry).filter(({ repository, dockerfile }) => `${repository} ${dockerfile}`.includes(values.only))
}

function readEntry(entry: unknown): RealDockerfile {
  const fields: Readonly<Record<string, unknown>> = { ...(typeof entry === 'object' ? entry : {}) }
  const text = (name: string): string => {
    const value = fields[name]
    if (typeof value !== 'string') throw new TypeError(`list.json: an entry has no ${name}`)
    return value
  }
  return {
    repository: text('repository'),
    commit: text('commit'),
    dockerfile: text('dockerfile'),
    context: text('context'),
  }
}

/** The files of one commit: of a mirror that has it, else fetched from GitHub without history. */
async function checkOut({ repository, commit }: RealDockerfile, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const mirror = [join(values.mirrors ?? '', repository.replace('/', '+'), 'repo')]
    .flatMap((path) => [join(path, '.git'), path])
    .find((path) => values.mirrors !== undefined && existsSync(join(path, 'HEAD')))
  const git = (...args: readonly string[]): Buffer =>
    execFileSync('git', args, { maxBuffer: 4e9, stdio: ['ignore', 'pipe', 'inherit'] })
  const store = mirror ?? join(folder, '.git')
  if (mirror === undefined) {
    git('init', '--quiet', folder)
    git('-C', folder, 'fetch', '--quiet', '--depth=1', `https://github.com/${repository}`, commit)
  }
  // Mirrors may lack their largest files; what is in them doesn't matter here.
  const missing = missingFiles(store, commit)
  const without = missing.map((path) => `:(exclude,literal)${path}`)
  execFileSync('tar', ['-x', '-C', folder], { input: git(`--git-dir=${store}`, 'archive', commit, '.', ...without) })
  for (const path of missing) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), '')
  }
  if (mirror === undefined) await rm(join(folder, '.git'), { recursive: true })
}

function missingFiles(store: string, commit: string): readonly string[] {
  const options = { maxBuffer: 1e9, encoding: 'utf8', env: { ...process.env, GIT_NO_LAZY_FETCH: '1' } } as const
  const listed = execFileSync('git', [`--git-dir=${store}`, 'ls-tree', '-r', '-z', commit], options).split('\0')
  const files = listed.flatMap((entry) => {
    const [, type, id, path] = /^\d+ (\w+) (\w+)\t(.*)$/s.exec(entry) ?? []
    return type === 'blob' && id !== undefined && path !== undefined ? [{ id, path }] : []
  })
  const input = files.map(({ id }) => `${id}\n`).join('')
  const states = execFileSync('git', [`--git-dir=${store}`, 'cat-file', '--batch-check'], { ...options, input })
  const lines = states.split('\n')
  return files.flatMap(({ path }, index) => (lines[index]?.endsWith(' missing') === true ? [path] : []))
}

async function plan(
  { dockerfile, context }: RealDockerfile,
  folder: string,
  store: string,
): Promise<PlannedDockerfile> {
  const given = new Map([
    ['context', context],
    ['file', dockerfile],
    ['tags', 'registry.example/real'],
    ['push', 'true'],
    ['platforms', 'linux/amd64'],
  ])
  const inputs = parseBuildInputs((name) => given.get(name) ?? '')
  const deps = depsFor(folder, store)
  try {
    const source = await readSource(inputs, folder)
    const content = await identifyContent(inputs, source, deps.registry)
    return await planDockerfile(inputs, source, content, Promise.resolve(BUILDER), deps)
  } finally {
    await rm(deps.context.tempDir, { recursive: true, force: true })
  }
}

function depsFor(folder: string, store: string): Deps {
  const notHere = (): Promise<never> => Promise.reject(new Error('there are no tasks here'))
  return {
    host: new TerminalHost({ messages: process.stderr }),
    context: terminalContext(folder),
    exec: new RunnerOnly(),
    registry: new KnownBases(),
    store: new LocalStore({ folder: store }),
    saveLater: () => undefined,
    tasks: { surroundings: notHere, open: notHere },
    clock: systemClock,
    display: { update: () => undefined, finish: () => undefined },
    signal: AbortSignal.timeout(PATIENCE),
    env: {},
  }
}

/** Runs uv here and nothing on a builder: where uv fails, the builder would say the same. */
class RunnerOnly implements Exec {
  readonly #exec = new SpawnExec()
  #said = ''

  async run(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    if (command === BUILDER.buildx.command) {
      for (const line of this.#said.split('\n')) options.onStderrLine?.(line)
      return { exitCode: 1, signal: null, stdout: '', stderr: this.#said }
    }
    const result = await this.#exec.run(command, args, options)
    if (result.exitCode !== 0) this.#said = result.stderr
    return result
  }
}

/** `rewritten`: every install of the target became layers; `partly`: some, or layers stand before a step that stays. */
function answerOf({ layers, refusals = [] }: PlannedDockerfile): Answer {
  if (layers.length === 0) return 'left'
  return refusals.length === 0 && layers.every(({ way }) => way !== 'seed') ? 'rewritten' : 'partly'
}

function reasonOf({ layers, refusals = [], notes }: PlannedDockerfile): string {
  const made = layers.map(({ steps, plan: { groups }, way }) => {
    const packages = groups.reduce((sum, group) => sum + group.packages.length, 0)
    const where = way === 'seed' ? ' before the step' : ''
    return `line ${steps.map(({ lines }) => lines.first).join(', ')}: ${packages} packages in ${groups.length} layers${where}`
  })
  const stays = refusals.map(({ line, code, sentence }) => `line ${line} \`${code}\`: ${sentence}`)
  const all = [...made, ...stays]
  const told = (all.length === 0 ? notes : all).map(shorten)
  const more = told.length > MOST_REASONS ? `; and ${told.length - MOST_REASONS} more` : ''
  return `${told.slice(0, MOST_REASONS).join('; ')}${more}`
}

function shorten(text: string): string {
  const line = text.replaceAll('|', '\\|').replace(/\s+/g, ' ')
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON - 3)}...` : line
}

function show({ text, steps }: PlannedDockerfile): void {
  console.log(steps.map(({ line, what, reason }) => `  line ${line} ${what}: ${reason}`).join('\n'))
  // The group stages above the user's first FROM are alike everywhere.
  console.log(text.replaceAll(/^FROM .* AS image-cache-(?:deps|venv)[^\n]*\nRUN [\s\S]*?\nIMAGE_CACHE\n/gm, ''))
}

if (values.help) console.log(HELP)
else await tryAll()
