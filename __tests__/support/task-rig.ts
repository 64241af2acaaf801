import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Clock } from '../../src/base/clock.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { defineTask, type TaskDefinition } from '../../src/task-cache/define-task.ts'
import { runTask } from '../../src/task-cache/run-task.ts'
import type { TaskDeps } from '../../src/task-cache/task-deps.ts'
import type { TaskResult } from '../../src/task-cache/task-result.ts'

/** A workspace with a store beside it, on the real file system. */
export interface TaskRig {
  readonly root: string
  readonly storeFolder: string
  readonly temporary: string
  /** Lines that were shown, newest last. */
  readonly shown: string[]
  readonly deps: TaskDeps
  /** Moves the clock, in seconds. */
  wait(seconds: number): void
  run(task: TaskDefinition, deps?: Partial<TaskDeps>): Promise<TaskResult>
  write(files: Readonly<Record<string, string>>): Promise<void>
  read(path: string): Promise<string>
  /** Paths in the workspace, folders with `/` behind and links with their targets, sorted. */
  list(): Promise<readonly string[]>
  /** How often a task has run that appends a line to `../runs`. */
  runs(): Promise<number>
  close(): Promise<void>
}

/** Appended to a script, counts its runs outside the workspace. */
export const COUNT = 'echo ran >> ../runs'

export async function startTaskRig(): Promise<TaskRig> {
  const parent = await mkdtemp(join(tmpdir(), 'task-rig-'))
  const [root, storeFolder, temporary] = [join(parent, 'workspace'), join(parent, 'store'), join(parent, 'temp')]
  await mkdir(root)
  await mkdir(temporary)
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead }
  const shown: string[] = []
  const deps: TaskDeps = {
    store: new LocalStore({ folder: storeFolder, maxBytes: 1e9 }),
    exec: new SpawnExec({ killAfter: 1000 }),
    clock,
    env: { PATH: process.env.PATH },
    signal: new AbortController().signal,
    owner: 'this test',
    log: (line) => shown.push(line),
    root,
    temporary,
    statCacheFolder: join(parent, 'stats'),
    origin: { run: 'run 7', commit: '0123456789abcdef' },
    waitLimit: 20,
    heartbeat: 1,
  }
  return {
    ...{ root, storeFolder, temporary, shown, deps },
    wait: (seconds) => {
      ahead += seconds * 1000
    },
    run: (task, other) => runTask(defineTask(task), { ...deps, ...other }),
    write: (files) => writeFiles(root, files),
    read: (path) => readFile(join(root, path), 'utf8'),
    list: () => listTree(root),
    runs: async () => (await readFile(join(parent, 'runs'), 'utf8').catch(() => '')).split('\n').length - 1,
    close: () => rm(parent, { recursive: true, force: true }),
  }
}

/** Writes files by path; `-> target` makes a link, a path that ends in `/` an empty folder, `#!` a program. */
export async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const place = join(root, path)
    await mkdir(path.endsWith('/') ? place : dirname(place), { recursive: true })
    if (path.endsWith('/')) continue
    if (content.startsWith('-> ')) await symlink(content.slice(3), place)
    else await writeFile(place, content)
    if (content.startsWith('#!')) await chmod(place, 0o755)
  }
}

export async function listTree(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const full = join(entry.parentPath, entry.name)
      const path = full.slice(root.length + 1)
      if (entry.isSymbolicLink()) return `${path} -> ${await readlink(full)}`
      return entry.isDirectory() ? `${path}/` : path
    }),
  )
  return lines.sort()
}
