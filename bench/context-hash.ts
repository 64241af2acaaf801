import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SpawnExec } from '../src/exec/spawn-exec.ts'
import { hashContext } from '../src/image/context-hash.ts'
import { type Spread, spread } from './statistics.ts'

const USAGE = `Usage: node bench/context-hash.ts [options]

Hashes a build context in our ways and by the usual tools, in one run, and prints ratios.

  --files N    files, default 50000; a hundredth of them hold half of the bytes
  --mb N       size in MB, default 2000 (twice that on the disk while it runs)
  --runs N     how often each way is measured, default 3
  --folder F   where the tree is made, default the system's temporary folder`

/** One way to tell what a tree holds. */
interface Way {
  readonly name: string
  readonly run: (root: string) => Promise<unknown>
  /** Whether the kernel's cache of files is dropped before each run. */
  readonly cold: boolean
}

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '50000' },
    mb: { type: 'string', default: '2000' },
    runs: { type: 'string', default: '3' },
    folder: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}

const exec = new SpawnExec()
const cores = availableParallelism()
const work = await mkdtemp(join(values.folder, 'context-bench-'))
try {
  await bench(join(work, 'tree'), join(work, 'stats'))
} finally {
  await rm(work, { recursive: true, force: true })
}

async function bench(root: string, statFolder: string): Promise<void> {
  console.error(`making ${values.files} files, ${values.mb} MB`)
  makeTree(root, Number(values.files), Number(values.mb) * 1e6)
  const commit = 'git -c user.name=a -c user.email=a@b.example commit -qm all'
  // Packed, as a clone has it.
  await sh(
    root,
    `git init -q && git config core.compression 0 && git add -A && ${commit} && git repack -adq --window=0`,
  )
  const canDrop = await dropCaches()
  // Ages the files: what was written a moment ago isn't kept.
  const clock = { now: () => Date.now() + 3_600_000 }
  const git = (): Promise<unknown> => hashContext(root, '.git', { exec })
  const content = (): Promise<unknown> => hashContext(root, '.git')
  const remembered = (): Promise<unknown> => hashContext(root, '.git', { statFolder, clock })
  const sums = `find . -path ./.git -prune -o -type f -print0 | xargs -0 -P ${cores} -n 256 sha256sum`
  const read = `find . -path ./.git -prune -o -type f -print0 | xargs -0 -P ${cores} -n 256 cat`
  const status = 'git ls-files -s && git status --porcelain=v2'
  const ways: readonly Way[] = [
    { name: 'ours, clean git tree', run: git, cold: false },
    { name: 'ours, remembered', run: remembered, cold: false },
    { name: 'ours, by content', run: content, cold: false },
    { name: 'git ls-files + git status', run: () => sh(root, status), cold: false },
    { name: `sha256sum on ${cores} cores`, run: () => sh(root, sums), cold: false },
    ...(canDrop
      ? [
          { name: 'ours, by content, cold', run: content, cold: true },
          { name: `reading alone on ${cores} cores, cold`, run: () => sh(root, read), cold: true },
          { name: `sha256sum on ${cores} cores, cold`, run: () => sh(root, sums), cold: true },
        ]
      : []),
  ]
  await remembered()
  const measured = new Map<string, Spread>()
  for (const { name, run, cold } of ways) {
    await run(root)
    const seconds: number[] = []
    while (seconds.length < Number(values.runs)) {
      if (cold) await dropCaches()
      const from = performance.now()
      await run(root)
      seconds.push((performance.now() - from) / 1000)
    }
    measured.set(name, spread(seconds))
    console.error(`${name}: ${format(measured.get(name))}`)
  }
  console.log(table(measured, canDrop))
}

/** Half of the bytes in a hundredth of the files; the rest are small, twenty in a folder. */
function makeTree(root: string, files: number, bytes: number): void {
  const random = randomBytes(1 << 22)
  const large = Math.max(1, Math.floor(files / 100))
  for (let n = 0; n < files; n += 1) {
    const folder = join(root, `part-${Math.floor(n / 1000)}`, `module-${Math.floor(n / 20) % 50}`)
    mkdirSync(folder, { recursive: true })
    const size = Math.floor(n < large ? bytes / 2 / large : bytes / 2 / (files - large))
    const content = Buffer.alloc(size)
    for (let at = 0; at < size; at += random.length) random.copy(content, at, (n * 97) % 4096)
    content.write(`${n}`)
    writeFileSync(join(folder, `file-${n}.bin`), content)
  }
}

async function sh(cwd: string, command: string): Promise<void> {
  const { exitCode, stderr } = await exec.run('sh', ['-c', `{ ${command}; } > /dev/null`], { cwd })
  if (exitCode !== 0) throw new Error(`${command}: ${stderr}`)
}

/** @returns whether this user may */
async function dropCaches(): Promise<boolean> {
  const { exitCode } = await exec.run('sh', ['-c', 'sync && echo 3 > /proc/sys/vm/drop_caches'])
  return exitCode === 0
}

function table(measured: ReadonlyMap<string, Spread>, canDrop: boolean): string {
  const median = (name: string): number => measured.get(name)?.median ?? Number.NaN
  const ratio = (a: string, b: string): string => `${(median(a) / median(b)).toFixed(2)}x: ${a} / ${b}`
  const [sums, status] = [`sha256sum on ${cores} cores`, 'git ls-files + git status']
  return [
    `${values.files} files, ${values.mb} MB, ${cores} cores, load ${loadavg()[0]?.toFixed(1)}; seconds: median (min to max)`,
    ...[...measured].map(([name, seconds]) => `  ${name.padEnd(40)} ${format(seconds)}`),
    ratio(sums, 'ours, clean git tree'),
    ratio('ours, clean git tree', status),
    ratio(sums, 'ours, by content'),
    ...(canDrop ? [ratio('ours, by content, cold', `reading alone on ${cores} cores, cold`)] : []),
  ].join('\n')
}

function format(seconds: Spread | undefined): string {
  if (seconds === undefined) return ''
  return `${seconds.median.toFixed(2)} (${seconds.min.toFixed(2)} to ${seconds.max.toFixed(2)})`
}
