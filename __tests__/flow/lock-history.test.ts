import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { historyOfLocks } from '../../src/flow/lock-history.ts'

const exec = new SpawnExec()
const signal = new AbortController().signal
const PRESENT = ['idna', 'numpy', 'six']

describe('the history of a lock', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'history-'))
    await git('init', '--quiet')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('is what its commits changed among the packages at hand, newest in the lowest bit', async () => {
    for (const text of [
      'numpy==1\nsix==1\nidna==1\n',
      'numpy==2\nsix==1\nidna==1\n',
      'numpy==2\nsix==1\nidna==1\nunrelated==9\n',
      'numpy==2\r\nsix==2\r\nidna==1\r\n',
      'numpy==3\nsix==2\nidna==1',
    ]) {
      await commit(text)
    }
    const history = await historyOfLocks([join(folder, 'requirements.txt')], PRESENT, exec, signal)
    expect(history.changes).toBe(3)
    expect(Object.fromEntries(history.touched)).toEqual({ numpy: 0b101, six: 0b010 })
  })

  test('is empty where git knows one commit, no file or no repository', async () => {
    await commit('numpy==1\n')
    const files = [join(folder, 'requirements.txt')]
    expect(await historyOfLocks(files, PRESENT, exec, signal)).toEqual({ changes: 0, touched: new Map() })
    expect(await historyOfLocks([join(folder, 'absent.txt')], PRESENT, exec, signal)).toMatchObject({ changes: 0 })
    await rm(join(folder, '.git'), { recursive: true })
    expect(await historyOfLocks(files, PRESENT, exec, signal)).toMatchObject({ changes: 0 })
    expect(await historyOfLocks([], PRESENT, exec, signal)).toMatchObject({ changes: 0 })
  })

  test('is that of the file with the most commits', async () => {
    await commit('numpy==1\n', 'one.txt')
    await commit('six==1\n', 'two.txt')
    await commit('six==2\n', 'two.txt')
    const files = [join(folder, 'one.txt'), join(folder, 'two.txt')]
    expect(Object.fromEntries((await historyOfLocks(files, PRESENT, exec, signal)).touched)).toEqual({ six: 1 })
  })

  async function commit(text: string, name = 'requirements.txt'): Promise<void> {
    await writeFile(join(folder, name), text)
    await git('add', name)
    await git('-c', 'user.name=T', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', name)
  }

  async function git(...args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await exec.run('git', args, { cwd: folder })
    if (exitCode !== 0) throw new Error(stderr)
  }
})
