import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs all tests, real services included, and closes with the runner's own counts. */
const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'image-cache-tests-'))

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const projects = [
  { name: 'unit', args: [] },
  // Services share a builder and a registry, so one file after another.
  { name: 'integration', args: ['--runInBand'] },
]
// What tests read is plain text, whatever the machine asks of a terminal.
const { FORCE_COLOR: _, CLICOLOR_FORCE: __, ...environment } = process.env
const counts = projects.map(({ name, args }) => runProject(name, args))
rmSync(folder, { recursive: true })
const total = (field: keyof Counts): number => counts.reduce((sum, one) => sum + one[field], 0)
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`)
process.exit(total('failed') > 0 || total('skipped') > 0 || total('passed') === 0 ? 1 : 0)

function runProject(name: string, args: readonly string[]): Counts {
  const output = join(folder, `${name}.json`)
  const { status } = spawnSync('jest', [`--selectProjects=${name}`, '--json', `--outputFile=${output}`, ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...environment, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
  })
  const result = readCounts(output)
  // A suite that can't be loaded has no test that failed, but it is no pass either.
  const hidden = status !== 0 && result.failed === 0 ? 1 : 0
  return { ...result, failed: result.failed + hidden }
}

function readCounts(file: string): Counts {
  const result: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const count = (field: string): number => {
    const value: unknown = typeof result === 'object' && result !== null ? Reflect.get(result, field) : undefined
    return typeof value === 'number' ? value : 0
  }
  return {
    passed: count('numPassedTests'),
    failed: count('numFailedTests'),
    skipped: count('numPendingTests') + count('numTodoTests'),
  }
}
