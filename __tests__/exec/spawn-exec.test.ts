import { execFile } from 'node:child_process'
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

// Real processes on a busy machine take their time.
jest.setTimeout(30_000)

const exec = new SpawnExec()
let folder: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'spawn-exec-')))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Runs a shell script as the child. */
function sh(script: string, options = {}) {
  return exec.run('sh', ['-c', script], options)
}

/** Whether a process still works; one that has ended may stay listed until its parent looks. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (!(await isAlive(pid))) return true
    await delay(50)
  }
  return false
}

describe('a child process', () => {
  test('gives back its exit code and both streams', async () => {
    expect(await sh('echo out; echo err >&2; exit 3')).toEqual({
      exitCode: 3,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  test('gives back the signal that ended it', async () => {
    expect(await sh('kill -TERM $$')).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
  })

  test('gets its arguments as they are, with no shell between', async () => {
    const args = ['a b', '$HOME', '*', '"', '', ';echo no']
    const { stdout } = await exec.run('printf', ['<%s>', ...args])
    expect(stdout).toBe(args.map((arg) => `<${arg}>`).join(''))
  })

  test('runs in the folder and with the environment that were given, added to ours', async () => {
    const { stdout } = await sh('pwd; echo "$GREETING"; test -n "$PATH" && echo path', {
      cwd: folder,
      env: { GREETING: 'hello' },
    })
    expect(stdout).toBe(`${folder}\nhello\npath\n`)
  })

  test('reads the input that was given, and finds an empty one otherwise', async () => {
    expect((await exec.run('cat', [], { input: 'ä\nb' })).stdout).toBe('ä\nb')
    expect((await exec.run('cat', [])).stdout).toBe('')
  })

  test('may end without reading its input', async () => {
    expect(await exec.run('true', [], { input: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 })
  })

  test('hands on each line while it still runs', async () => {
    const lines: string[] = []
    const marker = join(folder, 'seen')
    const onStdoutLine = (line: string) => {
      lines.push(line)
      if (line === 'ready') void writeFile(marker, '')
    }
    const onStderrLine = (line: string) => lines.push(`err ${line}`)
    const script = `echo ready; until test -e ${marker}; do sleep 0.02; done; echo bad >&2; printf done`
    await sh(script, { onStdoutLine, onStderrLine })
    expect(lines.sort()).toEqual(['done', 'err bad', 'ready'])
  })

  test('with a lot of output keeps the end of it and hands on every line', async () => {
    let count = 0
    const { stdout } = await sh('seq 1 400000', { onStdoutLine: () => (count += 1) })
    expect(count).toBe(400_000)
    expect(stdout).toHaveLength(1024 * 1024)
    expect(stdout.endsWith('399999\n400000\n')).toBe(true)
  })

  test('is over when it has ended, though a process that it left behind holds its streams', async () => {
    const { stdout, exitCode } = await sh('sleep 60 & echo $!')
    expect(exitCode).toBe(0)
    process.kill(Number(stdout))
  })
})

describe('a program that cannot be started', () => {
  test('is named, with a hint, when it is not there', async () => {
    await expect(exec.run('no-such-program', ['x'])).rejects.toMatchObject({
      name: 'ImageCacheError',
      code: 'E_BUILDER',
      message: 'no-such-program was not found',
      hint: 'Install no-such-program and put it on the PATH.',
    })
  })

  test('is not said to be missing when only its folder is', async () => {
    await expect(exec.run('true', [], { cwd: join(folder, 'none') })).rejects.toMatchObject({
      code: 'E_BUILDER',
      message: `true cannot be run in ${folder}/none: there is no such folder`,
    })
  })

  test('is named when it is not executable', async () => {
    const file = join(folder, 'plain')
    await writeFile(file, '')
    await chmod(file, 0o644)
    await expect(exec.run(file, [])).rejects.toMatchObject({
      code: 'E_BUILDER',
      message: `${file} may not be executed`,
    })
  })

  test('is named when its arguments are too long', async () => {
    await expect(exec.run('true', ['x'.repeat(5_000_000)])).rejects.toMatchObject({
      code: 'E_BUILDER',
      message: expect.stringMatching(/^true could not be started: .*E2BIG/),
    })
  })
})

describe('a cancelled child process', () => {
  test('is not even started when that is known before', async () => {
    const marker = join(folder, 'started')
    const work = sh(`touch ${marker}`, { signal: AbortSignal.abort() })
    await expect(work).rejects.toMatchObject({ code: 'E_CANCELLED', message: 'sh was cancelled' })
    await expect(realpath(marker)).rejects.toThrow()
  })

  test('is asked to end and may tidy up', async () => {
    const cancel = new AbortController()
    const lines: string[] = []
    const onStdoutLine = (line: string) => {
      lines.push(line)
      if (line === 'ready') cancel.abort()
    }
    const script = 'trap "echo tidied; exit 0" TERM; echo ready; while true; do sleep 0.05; done'
    await expect(sh(script, { onStdoutLine, signal: cancel.signal })).rejects.toMatchObject({ code: 'E_CANCELLED' })
    expect(lines).toEqual(['ready', 'tidied'])
  })

  test('takes its own children with it', async () => {
    const cancel = new AbortController()
    let grandchild = 0
    const onStdoutLine = (line: string) => {
      grandchild = Number(line)
      cancel.abort()
    }
    const work = sh('sh -c "sleep 300 & wait" & sleep 300 & echo $!; wait', { onStdoutLine, signal: cancel.signal })
    await expect(work).rejects.toMatchObject({ code: 'E_CANCELLED' })
    expect(grandchild).toBeGreaterThan(1)
    expect(await isGone(grandchild)).toBe(true)
  })

  test('is made to end when it does not want to, its children too', async () => {
    const stubborn = new SpawnExec({ killAfter: 300 })
    const cancel = new AbortController()
    const pids: number[] = []
    const onStdoutLine = (line: string) => {
      pids.push(Number(line))
      if (pids.length === 2) cancel.abort()
    }
    const script = `trap "" TERM; sh -c 'trap "" TERM; while true; do sleep 0.05; done' & echo $!; echo $$; wait`
    const work = stubborn.run('sh', ['-c', script], { onStdoutLine, signal: cancel.signal })
    await expect(work).rejects.toMatchObject({ code: 'E_CANCELLED' })
    expect(await Promise.all(pids.map(isGone))).toEqual([true, true])
  })

  test('is not over before its children are, though they are silent and it is gone itself', async () => {
    const quick = new SpawnExec({ killAfter: 500 })
    const cancel = new AbortController()
    let grandchild = 0
    const onStdoutLine = (line: string) => {
      grandchild = Number(line)
      cancel.abort()
    }
    const ready = join(folder, 'stubborn')
    const loop = `trap "" TERM; touch ${ready}; while true; do sleep 0.05; done`
    const script = `sh -c '${loop}' >/dev/null 2>&1 & until test -e ${ready}; do sleep 0.02; done; echo $!; wait`
    const work = quick.run('sh', ['-c', script], { onStdoutLine, signal: cancel.signal })
    await expect(work).rejects.toMatchObject({ code: 'E_CANCELLED' })
    expect(grandchild).toBeGreaterThan(1)
    expect(await isAlive(grandchild)).toBe(false)
  })

  test('is ended with the program that started it', async () => {
    const script = `
      import { SpawnExec } from ${JSON.stringify(join(import.meta.dirname, '../../src/exec/spawn-exec.ts'))}
      const onStdoutLine = (pid) => { console.log(pid); setTimeout(() => process.exit(0), 20) }
      await new SpawnExec().run('sh', ['-c', 'echo $$; exec sleep 300'], { onStdoutLine })
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(Number(stdout)).toBeGreaterThan(1)
    expect(await isGone(Number(stdout))).toBe(true)
  })
})

test('a mistake in a callback ends the child and is thrown', async () => {
  const onStdoutLine = () => {
    throw new Error('our own mistake')
  }
  await expect(sh('echo x; sleep 300', { onStdoutLine })).rejects.toThrow('our own mistake')
})
