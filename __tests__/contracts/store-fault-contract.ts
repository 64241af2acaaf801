import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Store } from '../../src/stores/store.ts'

/** An HTTP status; the connection breaks before an answer, or in its middle; no answer; a changed byte in the answer. */
export type StoreFault = number | 'reset' | 'hang' | 'cut-off' | 'corrupt'

/** The place of a store behind a protocol, which can be made to fail. */
export interface FaultRig {
  /** A store that gives up after a second. */
  open(): Store
  /** From now on calls of this kind fail. */
  fail(call: 'ask' | 'download' | 'upload', fault: StoreFault): void
  close(): Promise<void>
}

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const told = expect.stringMatching(/\w{3}/)

/** What every store behind a protocol promises when that fails: it says why, within its time limit, and never lies. */
export function storeFaultContract(name: string, start: () => Promise<FaultRig>): void {
  describe(`${name} stands faults`, () => {
    let rig: FaultRig
    let folder: string
    let to: string

    beforeEach(async () => {
      rig = await start()
      folder = await mkdtemp(join(tmpdir(), 'store-faults-'))
      to = join(folder, 'to')
      await writeFile(join(folder, 'from'), 'precious '.repeat(20_000))
    })
    afterEach(async () => {
      await rig.close()
      await rm(folder, { recursive: true, force: true })
    })

    test.each<StoreFault>([401, 403, 429, 500, 503, 'reset', 'hang'])('a question that ends in %s', async (fault) => {
      await rig.open().save(`k-${a}`, Buffer.from('x'))
      rig.fail('ask', fault)
      expect(await rig.open().lookUp(`k-${a}`)).toEqual({ kind: 'unavailable', reason: told })
      expect(await rig.open().fetch(`k-${a}`)).toEqual({ kind: 'unavailable', reason: told })
      expect(await rig.open().fetchFile(`k-${a}`, to)).toEqual({ kind: 'unavailable', reason: told })
      expect(await readdir(folder)).toEqual(['from'])
    })

    test.each<StoreFault>([403, 500, 'reset', 'hang', 'cut-off', 'corrupt'])(
      'a download that ends in %s',
      async (fault) => {
        for (const key of [`k-${a}`, `k-${b}`]) await rig.open().saveFile(key, join(folder, 'from'))
        rig.fail('download', fault)
        const answers = [await rig.open().fetch(`k-${a}`), await rig.open().fetchFile(`k-${b}`, to)]
        for (const answer of answers) {
          expect(answer).toEqual({ kind: expect.stringMatching(/^(miss|unavailable)$/), reason: told })
        }
        await expect(access(to)).rejects.toThrow()
      },
    )

    test.each<StoreFault>([401, 403, 429, 500, 503, 'reset', 'hang'])('an upload that ends in %s', async (fault) => {
      rig.fail('upload', fault)
      expect(await rig.open().save(`k-${a}`, Buffer.from('x'))).toEqual({ kind: 'unavailable', reason: told })
      expect(await rig.open().saveFile(`k-${a}`, join(folder, 'from'))).toEqual({ kind: 'unavailable', reason: told })
      expect(await readdir(folder)).toEqual(['from'])
    })
  })
}
