import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { S3_BUCKET, s3Env, startS3, stopS3 } from '../../tools/services/service-set.ts'
import { startCacheService } from '../support/cache-service.ts'
import type { LeaseJob } from '../support/lease-worker-main.ts'

const worker = join(import.meta.dirname, '..', 'support', 'lease-worker-main.ts')
jest.setTimeout(240_000)

interface Trial extends Pick<LeaseJob, 'store' | 'names' | 'computeSeconds' | 'heartbeat'> {
  readonly workers: number
  readonly kills: number
  readonly env?: Readonly<Record<string, string>>
}

interface Note {
  readonly what: string
  readonly name: string
  readonly pid: number
}

interface TrialResult {
  readonly notes: readonly Note[]
  readonly killed: ReadonlySet<number>
  /** Exit codes of those that were not killed. */
  readonly codes: readonly (number | null)[]
  readonly told: string
}

describe('many processes that want the same results', () => {
  let folder: string
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'lease-itg-')))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('20 on the local store, 8 of them killed, most while they compute', async () => {
    const names = ['one', 'two', 'three', 'four', 'five']
    const trial: Trial = { store: 'local', names, workers: 20, kills: 8, computeSeconds: 1, heartbeat: 0.5 }
    expectComputedOnce(await run(trial, folder), trial)
  })

  test("6 on GitHub's cache, 2 of them killed", async () => {
    const service = await startCacheService()
    try {
      const env = service.env()
      const trial: Trial = {
        ...{ store: 'actions', names: ['one', 'two'], workers: 6, kills: 2, computeSeconds: 1, heartbeat: 0.7, env },
      }
      expectComputedOnce(await run(trial, folder), trial)
    } finally {
      await service.close()
    }
  })

  test('6 on S3, 2 of them killed', async () => {
    const server = await startS3(folder, (line) => process.stderr.write(`${line}\n`))
    try {
      const { endpoint } = server
      const store = { kind: 's3', bucket: S3_BUCKET, prefix: '', endpoint, region: undefined, pathStyle: true } as const
      const env = s3Env(server)
      const trial: Trial = {
        store,
        names: ['one', 'two'],
        workers: 6,
        kills: 2,
        computeSeconds: 1,
        heartbeat: 0.7,
        env,
      }
      expectComputedOnce(await run(trial, folder), trial)
    } finally {
      await stopS3(folder)
    }
  })
})

function expectComputedOnce({ notes, killed, codes, told }: TrialResult, { workers, kills, names }: Trial): void {
  expect(killed.size).toBe(kills)
  // Nobody waited for ever, and nobody failed.
  expect(codes).toEqual(Array(workers - kills).fill(0))
  expect(told).not.toContain('unshared')
  for (const name of names) {
    const begun = notes.filter((note) => note.what === 'begin' && note.name === name)
    const ended = notes.filter((note) => note.what === 'end' && note.name === name)
    const died = begun.filter(({ pid }) => killed.has(pid) && !ended.some((note) => note.pid === pid))
    // Once, and besides only by owners that died.
    expect(begun.length).toBeGreaterThan(0)
    expect({ name, aliveOwners: begun.length - died.length > 1 }).toEqual({ name, aliveOwners: false })
  }
  // Some owner did die while it computed: otherwise nothing was shown.
  expect(notes.some(({ what, name, pid }) => what === 'begin' && killed.has(pid) && !hasEnd(notes, name, pid))).toBe(
    true,
  )
}

async function run({ workers, kills, env = {}, ...job }: Trial, folder: string): Promise<TrialResult> {
  const [notes, gun] = [join(folder, 'notes'), join(folder, 'gun')]
  await writeFile(notes, '')
  const children: Worker[] = []
  for (let index = 0; index < workers; index += 1) {
    const place = join(folder, `worker-${index}`)
    await mkdir(place)
    const names = index % 2 === 0 ? job.names : job.names.toReversed()
    const task: LeaseJob = { ...job, names, notes, gun, folder: join(folder, 'store') }
    children.push(startWorker(task, place, { ...env, GITHUB_WORKSPACE: place, RUNNER_TEMP: place }))
  }
  try {
    await Promise.all(children.map(({ ready }) => ready))
    await writeFile(gun, '')
    const killed = await killSome(children, kills, notes)
    const codes = await Promise.all(
      children.filter(({ child }) => !killed.has(child.pid ?? 0)).map(({ ended }) => ended),
    )
    return { notes: await readNotes(notes), killed, codes, told: children.map(({ told }) => told()).join('') }
  } finally {
    for (const { child } of children) child.kill('SIGKILL')
  }
}

interface Worker {
  readonly child: ChildProcess
  readonly ready: Promise<void>
  readonly ended: Promise<number | null>
  readonly told: () => string
}

function startWorker(job: LeaseJob, cwd: string, env: Readonly<Record<string, string>>): Worker {
  const child = spawn(process.execPath, [worker, JSON.stringify(job)], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text
      if (told.includes('ready\n')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`a worker ended with ${code} before it was ready`)))
  })
  return { child, ready, ended, told: () => told }
}

/** Kills at random moments, mostly whoever computes: those are missed most. */
async function killSome(workers: readonly Worker[], kills: number, notes: string): Promise<ReadonlySet<number>> {
  const killed = new Set<number>()
  while (killed.size < kills) {
    await delay(100 + Math.random() * 500)
    const alive = workers.filter(({ child }) => child.exitCode === null && !killed.has(child.pid ?? 0))
    if (alive.length === 0) break
    const all = await readNotes(notes)
    const computing = alive.filter(({ child }) =>
      all.some(({ what, name, pid }) => what === 'begin' && pid === child.pid && !hasEnd(all, name, pid)),
    )
    const choice = computing.length > 0 && Math.random() < 0.7 ? computing : alive
    const victim = choice[Math.floor(Math.random() * choice.length)]
    if (victim?.child.pid === undefined || !victim.child.kill('SIGKILL')) continue
    killed.add(victim.child.pid)
  }
  return killed
}

function hasEnd(notes: readonly Note[], name: string, pid: number): boolean {
  return notes.some((note) => note.what === 'end' && note.name === name && note.pid === pid)
}

async function readNotes(file: string): Promise<readonly Note[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [what = '', name = '', pid = ''] = line.split(' ')
    return { what, name, pid: Number(pid) }
  })
}
