import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { startTaskRig, type TaskRig } from '../support/task-rig.ts'

jest.setTimeout(60_000)

let rig: TaskRig
beforeEach(async () => {
  rig = await startTaskRig()
})
afterEach(() => rig.close())

/** Runs a task in a process of its own. */
async function measure(script: string): Promise<{ status: string; kept?: string; megabytes: number }> {
  const program = join(import.meta.dirname, '../support/measured-task-main.ts')
  const args = [program, rig.root, rig.storeFolder, rig.temporary, script]
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout)
}

test('large outputs need no more memory than small ones, when they are kept and when they come back', async () => {
  const small = 'mkdir -p out; echo small > out/a'
  const large = 'mkdir -p out; head -c 250000000 /dev/zero > out/a; head -c 10000000 /dev/urandom > out/b'
  const made = [await measure(small), await measure(large)]
  expect(made).toMatchObject([{ kept: 'kept' }, { kept: 'kept' }])
  await rm(join(rig.root, 'out'), { recursive: true })
  const back = [await measure(small), await measure(large)]
  expect(back).toMatchObject([{ status: 'hit' }, { status: 'hit' }])
  for (const [before, after] of [made, back]) {
    expect((after?.megabytes ?? Number.NaN) - (before?.megabytes ?? 0)).toBeLessThan(130)
  }
})
