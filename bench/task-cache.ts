import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { hashFiles } from '../src/content/hash-files.ts'
import { SpawnExec } from '../src/exec/spawn-exec.ts'
import { LocalStore } from '../src/stores/local-store.ts'
import { defineTask, type TaskDefinition } from '../src/task-cache/define-task.ts'
import { runTask } from '../src/task-cache/run-task.ts'
import type { TaskDeps } from '../src/task-cache/task-deps.ts'
import { type Spread, spread } from './statistics.ts'

/**
 * What a hit of the task cache costs, beside what the machine needs for the same bytes without one. Each line is a
 * ratio or a difference of one run; run it on a machine that does nothing else.
 *
 * node bench/task-cache.ts [hit] [inputs] [hashing] [tasks]
 */
const RUNS = 7
const parts = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'bench-task-cache-'))
try {
  console.log(`load ${loadavg()[0]?.toFixed(2)}, ${availableParallelism()} cores, Node ${process.versions.node}`)
  if (wants('hit')) await measureHit()
  if (wants('inputs')) await measureInputs()
  if (wants('hashing')) await measureHashing()
  if (wants('tasks')) await measureTasks()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** 10 inputs, 1,000 output files, 50 MB. */
async function measureHit(): Promise<void> {
  const { root, deps } = workspace('hit')
  for (let n = 0; n < 10; n += 1) write(join(root, `in/${n}`), text(1000, n))
  const files = new Map(Array.from({ length: 1000 }, (_, n) => [`${n % 20}/${n}.txt`, text(50_000, n)]))
  const made = join(folder, 'made')
  for (const [path, content] of files) write(join(made, path), content)
  const task: TaskDefinition = { name: 'hit', run: `cp -r ${made} dist`, inputs: ['in'], outputs: { files: ['dist'] } }
  await expectStatus(task, deps, 'miss')
  const [store] = readdirSync(join(folder, 'hit-store'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, 'hit-store', name))
    .filter((name) => statSync(name).size > 1e6)
  const archive = join(folder, 'made.tar.zst')
  execFileSync('tar', ['--zstd', '-cf', archive, '-C', folder, 'made'])

  const dist = join(root, 'dist')
  const remove = (): void => rmSync(dist, { recursive: true, force: true })
  const hit = await timed(remove, () => expectStatus(task, deps, 'hit'))
  const inPlace = await timed(
    () => undefined,
    () => expectStatus(task, deps, 'hit'),
  )
  const disk = await timed(remove, async () => {
    if (store !== undefined) readFileSync(store)
    for (const [path, content] of files) write(join(dist, path), content)
  })
  const copy = await timed(remove, async () => void execFileSync('cp', ['-r', made, dist]))
  const tar = await timed(remove, async () => {
    mkdirSync(dist)
    execFileSync('tar', ['--zstd', '-xf', archive, '-C', dist])
  })
  report('hit, 1,000 files, 50 MB', hit)
  report('hit, outputs in place', inPlace)
  report('the same bytes read and written', disk)
  report('cp -r', copy)
  report('tar --zstd -x', tar)
  console.log(
    `overhead of a hit: ${(hit.median - disk.median).toFixed(0)} ms; ${ratio(hit, tar)} x tar; ${ratio(hit, copy)} x cp`,
  )
}

/** 100,000 input files, known by the stat cache. */
async function measureInputs(): Promise<void> {
  const { root, deps } = workspace('inputs')
  for (let n = 0; n < 100_000; n += 1) write(join(root, `src/${n % 1000}/${n}.txt`), `file ${n}`)
  // Files that were just written are not believed by their times.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const task: TaskDefinition = { name: 'inputs', run: 'true', inputs: ['src/**/*.txt'] }
  await expectStatus(task, deps, 'miss')
  // What this process knows from the turn before must not count: a new one has to read it.
  const [statFile = ''] = readdirSync(deps.statCacheFolder ?? '')
  const forget = (): void => utimesSync(join(deps.statCacheFolder ?? '', statFile), new Date(), new Date())
  const warm = await timed(forget, () => expectStatus(task, deps, 'hit'))
  const find = await timed(
    () => undefined,
    async () => void execFileSync('find', [root, '-type', 'f', '-newermt', '2100-01-01']),
  )
  report('hit, 100,000 input files, warm', warm)
  report('find that looks at each of them', find)
  console.log(`${ratio(warm, find)} x find`)
}

/** 500 MB in 500 files. */
async function measureHashing(): Promise<void> {
  const root = join(folder, 'hashing')
  const paths = Array.from({ length: 500 }, (_, n) => `${n}.bin`)
  const block = Buffer.from(text(1_000_000, 1))
  for (const path of paths) write(join(root, path), block)
  const ours = await timed(
    () => undefined,
    async () => void (await hashFiles(root, paths)),
  )
  const script = `ls | xargs -P ${availableParallelism()} -n 25 sha256sum > /dev/null`
  const theirs = await timed(
    () => undefined,
    async () => void execFileSync('sh', ['-c', script], { cwd: root }),
  )
  report('hashing 500 MB', ours)
  report(`sha256sum, ${availableParallelism()} at once`, theirs)
  console.log(`${ratio(ours, theirs)} x sha256sum`)
}

/** 1,000 tasks, one small file each, all of them hits. */
async function measureTasks(): Promise<void> {
  const { root, deps } = workspace('tasks')
  const tasks = Array.from({ length: 1000 }, (_, n): TaskDefinition => {
    write(join(root, `in/${n}.txt`), `input ${n}`)
    return {
      name: `task ${n}`,
      run: ['cp', `in/${n}.txt`, `out-${n}`],
      inputs: [`in/${n}.txt`],
      outputs: { files: [`out-${n}`] },
    }
  })
  for (const task of tasks) await expectStatus(task, deps, 'miss')
  const remove = (): void => {
    for (let n = 0; n < 1000; n += 1) rmSync(join(root, `out-${n}`), { force: true })
  }
  const all = await timed(remove, async () => {
    for (const task of tasks) await expectStatus(task, deps, 'hit')
  })
  report('1,000 hits, one after another', all)
}

function workspace(name: string): { readonly root: string; readonly deps: TaskDeps } {
  const root = join(folder, name)
  mkdirSync(root)
  const store = new LocalStore({ folder: join(folder, `${name}-store`), maxBytes: 10e9 })
  const deps: TaskDeps = {
    ...{ store, exec: new SpawnExec(), clock: systemClock, env: process.env, signal: new AbortController().signal },
    ...{
      owner: 'bench',
      log: () => undefined,
      root,
      temporary: folder,
      statCacheFolder: join(folder, `${name}-stats`),
    },
  }
  return { root, deps }
}

async function expectStatus(task: TaskDefinition, deps: TaskDeps, status: string): Promise<void> {
  const result = await runTask(defineTask(task), deps)
  if (result.status !== status) throw new Error(`${task.name}: ${result.status}, ${result.why}`)
  if (status === 'miss' && result.kept?.kind !== 'kept') throw new Error(`${task.name}: ${JSON.stringify(result.kept)}`)
}

async function timed(before: () => void, run: () => Promise<void>): Promise<Spread> {
  const times: number[] = []
  for (let turn = 0; turn < RUNS; turn += 1) {
    before()
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return spread(times)
}

function report(what: string, { min, median, max }: Spread): void {
  console.log(`${what.padEnd(40)} ${median.toFixed(1).padStart(9)} ms  (${min.toFixed(1)} to ${max.toFixed(1)})`)
}

function ratio(ours: Spread, theirs: Spread): string {
  return (ours.median / theirs.median).toFixed(2)
}

function wants(part: string): boolean {
  return parts.length === 0 || parts.includes(part)
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** Text that packs about as well as code does. */
function text(length: number, seed: number): string {
  let state = seed + 1
  const words: string[] = []
  for (let size = 0; size < length; ) {
    state = (state * 48_271) % 2_147_483_647
    const word = (state % 5000).toString(36).repeat(1 + (state % 2))
    words.push(word)
    size += word.length + 1
  }
  return words.join(' ').slice(0, length)
}
