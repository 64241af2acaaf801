import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BothWays } from '../support/both-ways.ts'
import { LineRig } from '../support/line-rig.ts'
import { RANDOM_FILES, type RandomDockerfile, randomDockerfile } from '../support/random-dockerfile.ts'

const minutes = 60_000
/** A few at every run; `RANDOM_DOCKERFILES=200 RANDOM_SEED=7` looks further. */
const RUNS = Number(process.env.RANDOM_DOCKERFILES ?? 8)
const SEED = Number(process.env.RANDOM_SEED ?? 20251122)

let rig: LineRig
let ways: BothWays
let count = 0

beforeAll(async () => {
  rig = await LineRig.create()
  ways = new BothWays(rig)
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

test(
  `of ${RUNS} Dockerfiles with steps in any order (seed ${SEED}), each gives the same image, or fails, with layers as without`,
  async () => {
    const property = fc.asyncProperty(randomDockerfile, async (random) => {
      expect(await differences(random)).toEqual([])
    })
    // A smaller example would cost more builds than it is worth: steps are few.
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
  },
  Math.max(2, RUNS / 4) * minutes,
)

/** What differs between the two images, or which of the two builds alone fails; nothing where both do. */
async function differences({ dockerfile, inputs }: RandomDockerfile): Promise<readonly unknown[]> {
  const name = `random-${++count}`
  for (const [path, text] of Object.entries(RANDOM_FILES)) await rig.workspace.write(`${name}/${path}`, text)
  await rig.workspace.write(`${name}/Dockerfile`, dockerfile)
  const written = await ways.asWritten(name)
  const layers = await ways.withLayers(name, inputs)
  if (written.exitCode !== 0)
    return layers.exitCode === 0 ? [`only the file as it is written fails: ${written.stderr}`] : []
  if (layers.exitCode !== 0) return [`only the build with layers fails: ${layers.stderr}`]
  const { files, config } = await ways.differences(name)
  return [...files, ...config]
}
