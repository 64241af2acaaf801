import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { inputOptions, LineRig } from '../support/line-rig.ts'
import { type StandIn, startStandInIndex } from '../support/stand-in-index.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

const PLAIN = wheel('plain', { 'plain.py': 'PLAIN = 1\n' })
/** The list of its files takes more than is asked for at first, and so does what stands before it. */
const LONG = wheel('long', {
  ...Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`long/module_${at}.py`, `AT = ${at}\n`])),
  'tests/conftest.py': 'WHOSE = "long"\n',
})
const TESTED = wheel('tested', { 'tested.py': '', 'tests/conftest.py': 'WHOSE = "tested"\n' })
const ALIKE = wheel('alike', { 'alike.py': '', 'plain.py': 'PLAIN = 1\n' })
const MOVED = wheel('moved', { 'moved-1.data/purelib/plain.py': 'PLAIN = 2\n' })
const RUNNING = script('running', 'run = running:main')
const WALKING = script('walking', 'run = walking:main')
/** Known by its name to bring the files of another. */
const JWT = wheel('jwt', { 'jwt/__init__.py': '' })
const PYJWT = wheel('pyjwt', { 'jwt/__init__.py': '' })

test.each<[what: string, wheels: readonly StandIn[], reason: string | undefined]>([
  ['other files', [PLAIN, LONG], undefined],
  ['the same file with the same content', [PLAIN, ALIKE], undefined],
  ['a file of one path', [LONG, TESTED], 'long and tested both bring lib/tests/conftest.py'],
  ['a file that the one moves to its place', [PLAIN, MOVED], 'moved and plain both bring lib/plain.py'],
  ['a script of one name', [RUNNING, WALKING], 'running and walking both bring scripts/run'],
  ['files of one name where the wheels tell that they are alike', [JWT, PYJWT], undefined],
])(
  'two packages that bring %s',
  async (_, wheels, reason) => {
    expect(await answerTo(wheels, {})).toEqual(
      reason === undefined
        ? { what: 'rewritten', reason: expect.any(String) }
        : { what: 'left', reason: expect.stringContaining(reason) },
    )
  },
  2 * minutes,
)

test(
  'where no part of a wheel can be had, packages that are known to share files stay with the command',
  async () => {
    expect(await answerTo([JWT, PYJWT], { givesParts: false })).toEqual({
      what: 'left',
      reason: expect.stringContaining('jwt and pyjwt both bring the same files'),
    })
    expect(await answerTo([PLAIN, LONG], { givesParts: false })).toMatchObject({ what: 'rewritten' })
  },
  2 * minutes,
)

test(
  'files that packages of several installs share are found as well',
  async () => {
    const index = await startStandInIndex([PLAIN, MOVED])
    try {
      const install = (name: string): string => `RUN pip install --index-url ${index.url} ${name}\n`
      const steps = await planned(`${install('plain==1')}${install('moved==1')}`)
      expect(steps.map(({ what }) => what)).toEqual(['left', 'left'])
      expect(steps[0]?.reason).toContain('moved and plain both bring lib/plain.py')
    } finally {
      await index.close()
    }
  },
  2 * minutes,
)

async function answerTo(wheels: readonly StandIn[], options: { readonly givesParts?: boolean }) {
  const index = await startStandInIndex(wheels, options)
  try {
    const names = wheels.map(({ name }) => `${name}==1`).join(' ')
    const [step] = await planned(`RUN pip install --index-url ${index.url} ${names}\n`)
    return { what: step?.what, reason: step?.reason }
  } finally {
    await index.close()
  }
}

async function planned(steps: string): Promise<readonly { readonly what: string; readonly reason: string }[]> {
  await rig.workspace.write('Dockerfile', `FROM python:3.11-slim\n${steps}`)
  const options = inputOptions(rig.inputs('shared:v1', { store: 'off' }))
  const { exitCode, stdout, stderr } = await rig.command('plan', '.', '--json', ...options)
  if (exitCode !== 0) throw new Error(stderr)
  const { steps: answers }: { steps: readonly { what: string; reason: string }[] } = JSON.parse(stdout)
  return answers
}

function wheel(name: string, files: StandIn['files']): StandIn {
  return { name, version: '1', files }
}

function script(name: string, entry: string): StandIn {
  const files = {
    [`${name}.py`]: 'def main(): pass\n',
    [`${name}-1.dist-info/entry_points.txt`]: `[console_scripts]\n${entry}\n`,
  }
  return wheel(name, files)
}
