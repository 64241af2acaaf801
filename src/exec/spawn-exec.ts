import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, ImageCacheError, messageOf } from '../base/errors.ts'
import type { DetachedExec, DetachedOptions, Exec, ExecOptions, ExecResult } from './exec.ts'
import { OutputLines } from './output-lines.ts'

export interface SpawnExecOptions {
  /** Milliseconds between SIGTERM and SIGKILL for a cancelled child; 10 s when not given. */
  readonly killAfter?: number
  /** Variables of this process that no child gets, unless its options name them. */
  readonly withheld?: (name: string) => boolean
}

/** Milliseconds without output after which the streams of a child that has ended are closed, should others hold them. */
const DRAIN = 1000
const POLL = 50

/** Process groups to be ended when this process ends before them. */
const running = new Set<number>()

/** Runs programs as child processes, without a shell, each in a process group of its own so that all of it can be ended. */
export class SpawnExec implements Exec, DetachedExec {
  readonly #killAfter: number
  readonly #withheld: ((name: string) => boolean) | undefined

  constructor({ killAfter = 10_000, withheld }: SpawnExecOptions = {}) {
    this.#killAfter = killAfter
    this.#withheld = withheld
  }

  async run(command: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    if (options.signal?.aborted === true) throw cancelled(command)
    const child = start(command, args, options, this.#environment())
    const stdout = new OutputLines(options.onStdoutLine)
    const stderr = new OutputLines(options.onStderrLine)
    const callbacks = new AbortController()
    follow(child, 'stdout', stdout, callbacks)
    follow(child, 'stderr', stderr, callbacks)
    // A child that ends without reading its input is no error of ours.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input)

    const stop = new AbortController()
    const stopped = AbortSignal.any([callbacks.signal, ...(options.signal === undefined ? [] : [options.signal])])
    const ending = this.#endWhenStopped(child, stopped, stop.signal)
    try {
      const { exitCode, signal } = await ended(child, command, options)
      if (stopped.aborted) await ending
      if (callbacks.signal.aborted) throw callbacks.signal.reason
      if (stopped.aborted) throw cancelled(command)
      stdout.end()
      stderr.end()
      return { exitCode, signal, stdout: stdout.text(), stderr: stderr.text() }
    } finally {
      stop.abort()
      if (child.pid !== undefined) running.delete(child.pid)
    }
  }

  async startDetached(command: string, args: readonly string[], { folder, env }: DetachedOptions): Promise<number> {
    const script = '"$@" >"$0/stdout" 2>"$0/stderr"; echo $? >"$0/exit-code"'
    const child = spawn('sh', ['-c', script, folder, command, ...args], {
      env: { ...this.#environment(), ...env },
      stdio: 'ignore',
      detached: true,
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(startError('sh', {}, error)))
    })
    child.unref()
    if (child.pid === undefined) throw startError('sh', {}, new Error('it has no process id'))
    return child.pid
  }

  #environment(): NodeJS.ProcessEnv {
    const withheld = this.#withheld
    if (withheld === undefined) return process.env
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld(name)))
  }

  /** After `stopped`: asks the whole group to end, and makes it end when it doesn't. */
  async #endWhenStopped(child: ChildProcess, stopped: AbortSignal, over: AbortSignal): Promise<void> {
    if (!(await eitherAborted(stopped, over))) return
    const { pid } = child
    if (pid === undefined) return
    signalGroup(pid, 'SIGTERM')
    if (await isGroupGone(pid, this.#killAfter)) return
    signalGroup(pid, 'SIGKILL')
    await isGroupGone(pid, DRAIN)
  }
}

function start(command: string, args: readonly string[], options: ExecOptions, env: NodeJS.ProcessEnv): ChildProcess {
  const spawnOptions: SpawnOptions = {
    env: { ...env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }
  try {
    const child = spawn(command, args, spawnOptions)
    if (child.pid !== undefined) {
      if (!process.listeners('exit').includes(endAll)) process.once('exit', endAll)
      running.add(child.pid)
    }
    return child
  } catch (error) {
    throw startError(command, options, error)
  }
}

function endAll(): void {
  for (const pid of running) signalGroup(pid, 'SIGTERM')
}

function follow(child: ChildProcess, name: 'stdout' | 'stderr', lines: OutputLines, failed: AbortController): void {
  child[name]?.on('data', (chunk: Buffer) => {
    try {
      lines.push(chunk)
    } catch (error) {
      failed.abort(error)
    }
  })
}

/** Waits for the child's end and for the rest of its output. */
function ended(
  child: ChildProcess,
  command: string,
  options: ExecOptions,
): Promise<{ exitCode: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(startError(command, options, error)))
    child.once('exit', () => closeWhenSilent(child))
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })
}

/** A grandchild that was left behind keeps the streams open: don't wait for it longer than it writes. */
function closeWhenSilent(child: ChildProcess): void {
  const streams = [child.stdout, child.stderr]
  const timer = setTimeout(() => {
    for (const stream of streams) stream?.destroy()
  }, DRAIN)
  for (const stream of streams) stream?.on('data', () => timer.refresh())
  child.once('close', () => clearTimeout(timer))
}

/** Sends a signal to a group, 0 only asks. @returns whether the group still exists. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

/** Waits until a group has ended, but no longer than some milliseconds. */
async function isGroupGone(pid: number, limit: number): Promise<boolean> {
  for (let waited = 0; waited < limit; waited += POLL) {
    if (!signalGroup(pid, 0)) return true
    await delay(POLL)
  }
  return false
}

/** Waits for the first of two signals. @returns whether it was the first one. */
async function eitherAborted(first: AbortSignal, second: AbortSignal): Promise<boolean> {
  const both = AbortSignal.any([first, second])
  if (!both.aborted) await new Promise((resolve) => both.addEventListener('abort', resolve, { once: true }))
  return first.aborted
}

function startError(command: string, { cwd }: ExecOptions, cause: unknown): ImageCacheError {
  const code = codeOf(cause)
  if (code === 'ENOENT' && cwd !== undefined && !existsSync(cwd)) {
    return new ImageCacheError('E_BUILDER', `${command} cannot be run in ${cwd}: there is no such folder`, { cause })
  }
  if (code === 'ENOENT') {
    const hint = `Install ${command} and put it on the PATH.`
    return new ImageCacheError('E_BUILDER', `${command} was not found`, { hint, cause })
  }
  if (code === 'EACCES') {
    const hint = `Make ${command} executable for this user.`
    return new ImageCacheError('E_BUILDER', `${command} may not be executed`, { hint, cause })
  }
  return new ImageCacheError('E_BUILDER', `${command} could not be started: ${messageOf(cause)}`, { cause })
}

function cancelled(command: string): ImageCacheError {
  return new ImageCacheError('E_CANCELLED', `${command} was cancelled`)
}
