import { existsSync } from 'node:fs'
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SpawnExec } from '../src/exec/spawn-exec.ts'
import { type Spread, spread } from './statistics.ts'

/**
 * One project of many small tasks in three tools side by side: everything a hit, with the outputs in place and with
 * them gone, and one changed file. Turborepo and wireit come from npm into a temporary folder, in exact versions.
 */
const USAGE = 'Usage: node bench/task-tools.ts [--tasks 100] [--runs 7] [--json]'
const VERSIONS = { turbo: '2.10.7', wireit: '0.14.12' }
const FILES_EACH = 10
const COMMAND = 'mkdir -p dist && cat src/*.txt > dist/out.txt'

const SHAPES = ['nothing changed', 'outputs gone', 'one change'] as const
type Shape = (typeof SHAPES)[number]

interface Tool {
  readonly name: 'image-cache' | 'turborepo' | 'wireit'
  /** Writes what the tool wants beside the packages. */
  configure(folder: string, tasks: readonly Task[]): Promise<void>
  readonly command: readonly [program: string, ...args: string[]]
  /** How many commands the last run executed, by its own words. */
  executed(output: string): number
}

interface Task {
  readonly name: string
  readonly needs: readonly string[]
}

const exec = new SpawnExec()
const root = resolve(import.meta.dirname, '..')

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100' },
    runs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
})
const amount = Number(values.tasks)
const runs = Number(values.runs)
if (!(amount >= 2 && runs >= 1)) {
  console.error(USAGE)
  process.exit(2)
}
if (!existsSync(join(root, 'dist/cli/index.js'))) throw new Error('dist/ is missing: make it with npm run build')
const folder = await mkdtemp(join(tmpdir(), 'task-tools-'))
try {
  await bench()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function bench(): Promise<void> {
  const installed = await install()
  const tools = [imageCache(), turborepo(installed), wireit(installed)]
  const places = new Map<Tool['name'], string>()
  for (const tool of tools) {
    const place = join(folder, tool.name)
    places.set(tool.name, place)
    await makeProject(place, tool)
    const { output } = await run(tool, place)
    if (tool.executed(output) !== amount)
      throw new Error(`${tool.name} ran ${tool.executed(output)} tasks:\n${output.slice(-2000)}`)
  }
  const seconds = new Map<string, number[]>()
  // In turns, so that whatever else the machine does meets all of them.
  for (let round = 0; round < runs; round += 1) {
    for (const shape of SHAPES) {
      for (const tool of tools) {
        const place = places.get(tool.name) ?? ''
        await prepare(place, shape, round)
        const { output, elapsed } = await run(tool, place)
        const expected = shape === 'one change' ? 1 : 0
        if (tool.executed(output) !== expected) {
          throw new Error(
            `${tool.name}, ${shape}: ${tool.executed(output)} tasks ran, not ${expected}:\n${output.slice(-2000)}`,
          )
        }
        await checkOutputs(place)
        const key = `${tool.name} ${shape}`
        seconds.set(key, [...(seconds.get(key) ?? []), elapsed])
      }
    }
  }
  print(tools, new Map([...seconds].map(([key, list]) => [key, spread(list)])))
}

function print(tools: readonly Tool[], seconds: ReadonlyMap<string, Spread>): void {
  const median = (tool: string, shape: Shape): number => seconds.get(`${tool} ${shape}`)?.median ?? Number.NaN
  const rows = SHAPES.map((shape) => ({
    shape,
    ...Object.fromEntries(tools.map(({ name }) => [name, seconds.get(`${name} ${shape}`)])),
    'turborepo / image-cache': median('turborepo', shape) / median('image-cache', shape),
    'wireit / image-cache': median('wireit', shape) / median('image-cache', shape),
  }))
  const machine = { cores: cpus().length, load: loadavg()[0]?.toFixed(2), node: process.versions.node, ...VERSIONS }
  if (values.json) {
    console.log(JSON.stringify({ tasks: amount, runs, machine, rows }, null, 2))
    return
  }
  console.log(`${amount} tasks, median of ${runs} runs, seconds (${JSON.stringify(machine)})`)
  for (const row of rows) {
    const times = tools.map(({ name }) => `${name} ${median(name, row.shape).toFixed(3)}`).join('  ')
    const ratios = ['turborepo', 'wireit'].map((name) => {
      const ratio = median(name, row.shape) / median('image-cache', row.shape)
      return `${name} / image-cache ${ratio.toFixed(2)}`
    })
    console.log(`${row.shape.padEnd(16)} ${times}  | ${ratios.join('  ')}`)
  }
}

/** Installs the other tools once, from the registry that npm is set up for. */
async function install(): Promise<string> {
  const place = join(folder, 'tools')
  await mkdir(place)
  await writeFile(join(place, 'package.json'), JSON.stringify({ private: true, dependencies: VERSIONS }))
  const { exitCode, stderr } = await exec.run('npm', ['install', '--no-audit', '--no-fund', '--save-exact'], {
    cwd: place,
  })
  if (exitCode !== 0) throw new Error(stderr)
  return join(place, 'node_modules')
}

/** A tree: task n needs task (n - 1) / 10, so that a change of the last one concerns it alone. */
function tasksOf(): readonly Task[] {
  const name = (at: number): string => `p${String(at).padStart(3, '0')}`
  return Array.from({ length: amount }, (_, at) => ({
    name: name(at),
    needs: at === 0 ? [] : [name(Math.floor((at - 1) / 10))],
  }))
}

async function makeProject(place: string, tool: Tool): Promise<void> {
  const tasks = tasksOf()
  for (const { name } of tasks) {
    await mkdir(join(place, 'packages', name, 'src'), { recursive: true })
    for (let at = 0; at < FILES_EACH; at += 1) {
      await writeFile(join(place, 'packages', name, 'src', `${at}.txt`), `${name} ${at}\n`.repeat(200))
    }
  }
  await writeFile(join(place, '.gitignore'), 'node_modules\ndist\n.turbo\n.wireit\n.cache\n')
  await tool.configure(place, tasks)
  const git = (...args: readonly string[]) =>
    exec.run('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], { cwd: place })
  await git('init', '--quiet')
  await git('add', '--all')
  await git('commit', '--quiet', '--message=Project')
}

function imageCache(): Tool {
  return {
    name: 'image-cache',
    command: [
      process.execPath,
      join(root, 'dist/cli/index.js'),
      'tasks',
      'run',
      '-f',
      'tasks.json',
      '--concurrency',
      '10',
    ],
    executed: (output) => Number(/\b(\d+) miss/.exec(output)?.[1] ?? 0),
    async configure(place, tasks) {
      const entries = tasks.map(({ name, needs }) => [
        name,
        {
          needs,
          run: COMMAND,
          shell: 'sh',
          'working-directory': `packages/${name}`,
          inputs: [`packages/${name}/src/**`],
          outputs: [`packages/${name}/dist/**`],
        },
      ])
      await writeFile(join(place, 'tasks.json'), JSON.stringify({ tasks: Object.fromEntries(entries) }))
    },
  }
}

function turborepo(installed: string): Tool {
  return {
    name: 'turborepo',
    command: [join(installed, '.bin/turbo'), 'run', 'build', '--concurrency=10', '--output-logs=new-only'],
    executed: (output) => amount - Number(/Cached:\s+(\d+) cached/.exec(output)?.[1] ?? 0),
    async configure(place, tasks) {
      const manifest = { name: 'bench', private: true, workspaces: ['packages/*'], packageManager: 'npm@11.0.0' }
      await writeFile(join(place, 'package.json'), JSON.stringify(manifest))
      for (const { name, needs } of tasks) {
        const dependencies = Object.fromEntries(needs.map((need) => [need, '*']))
        const own = { name, version: '1.0.0', private: true, scripts: { build: COMMAND }, dependencies }
        await writeFile(join(place, 'packages', name, 'package.json'), JSON.stringify(own))
      }
      const build = { dependsOn: ['^build'], inputs: ['src/**'], outputs: ['dist/**'] }
      await writeFile(join(place, 'turbo.json'), JSON.stringify({ tasks: { build } }))
      await writeFile(join(place, 'package-lock.json'), JSON.stringify(lockOf(tasks)))
    },
  }
}

function wireit(installed: string): Tool {
  return {
    name: 'wireit',
    command: [process.execPath, '--run', 'build'],
    executed: (output) => output.match(/Executed successfully/g)?.length ?? 0,
    async configure(place, tasks) {
      const dependencies = tasks.map(({ name }) => `./packages/${name}:build`)
      const all = { name: 'bench', private: true, scripts: { build: 'wireit' }, wireit: { build: { dependencies } } }
      await writeFile(join(place, 'package.json'), JSON.stringify(all))
      for (const { name, needs } of tasks) {
        const build = {
          command: COMMAND,
          files: ['src/**'],
          output: ['dist/**'],
          dependencies: needs.map((need) => `../${need}:build`),
        }
        const own = { name, version: '1.0.0', private: true, scripts: { build: 'wireit' }, wireit: { build } }
        await writeFile(join(place, 'packages', name, 'package.json'), JSON.stringify(own))
      }
      await cp(installed, join(place, 'node_modules'), { recursive: true, verbatimSymlinks: true })
    },
  }
}

/** A lock file that npm would write: turbo reads the workspaces' needs from it. */
function lockOf(tasks: readonly Task[]): unknown {
  const packages = tasks.flatMap(({ name, needs }) => [
    [`packages/${name}`, { version: '1.0.0', dependencies: Object.fromEntries(needs.map((need) => [need, '*'])) }],
    [`node_modules/${name}`, { resolved: `packages/${name}`, link: true }],
  ])
  const top = ['', { name: 'bench', workspaces: ['packages/*'] }]
  return { name: 'bench', lockfileVersion: 3, requires: true, packages: Object.fromEntries([top, ...packages]) }
}

async function prepare(place: string, shape: Shape, round: number): Promise<void> {
  if (shape === 'nothing changed') return
  if (shape === 'one change') {
    const last = tasksOf().at(-1)?.name ?? ''
    await appendFile(join(place, 'packages', last, 'src', '0.txt'), `changed ${round}\n`)
    return
  }
  for (const { name } of tasksOf()) await rm(join(place, 'packages', name, 'dist'), { recursive: true, force: true })
}

async function run(tool: Tool, place: string): Promise<{ readonly output: string; readonly elapsed: number }> {
  const [program, ...args] = tool.command
  const env = {
    XDG_CACHE_HOME: join(place, '.cache'),
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    WIREIT_CACHE: 'local',
    WIREIT_LOGGER: 'simple',
    WIREIT_PARALLEL: '10',
  }
  const started = performance.now()
  const { exitCode, stdout, stderr } = await exec.run(program, args, { cwd: place, env })
  const elapsed = (performance.now() - started) / 1000
  if (exitCode !== 0) throw new Error(`${tool.name} failed:\n${stdout}${stderr}`)
  return { output: `${stdout}${stderr}`, elapsed }
}

/** Whoever is quick must be right, too. */
async function checkOutputs(place: string): Promise<void> {
  for (const { name } of tasksOf()) {
    const at = (file: string): string => join(place, 'packages', name, file)
    const sources = await Promise.all(
      Array.from({ length: FILES_EACH }, (_, n) => readFile(at(`src/${n}.txt`), 'utf8')),
    )
    if ((await readFile(at('dist/out.txt'), 'utf8')) !== sources.join(''))
      throw new Error(`${at('dist/out.txt')} is wrong`)
  }
}
