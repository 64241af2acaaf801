import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { LineRig } from '../support/line-rig.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

let line: LineRig

beforeAll(async () => {
  line = await LineRig.create()
  await line.workspace.write(
    'Dockerfile',
    'FROM python:3.11-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n',
  )
})

afterAll(() => line.close())

test('a package that the base image has in the right version is not installed again, as with pip', async () => {
  const plan = await planOf('six==1.17.0\nsetuptools>=70\n')
  expect(plan).toContain('rewritten: pip install -r requirements.txt')
  expect(plan).toContain('six 1.17.0')
  expect(plan).not.toMatch(/setuptools \d/)
})

test('a lock that needs another version than the base image has leaves the step as it is', async () => {
  const plan = await planOf('six==1.17.0\nsetuptools<70\n')
  expect(plan).toContain('left: RUN pip install -r requirements.txt')
  expect(plan).toContain('resolution-failed')
})

async function planOf(requirements: string): Promise<string> {
  await line.workspace.write('requirements.txt', requirements)
  const inputs = Object.entries(line.inputs('team/shipped:1')).flatMap(([name, value]) => [`--${name}`, value])
  const { exitCode, stdout, stderr } = await line.command('plan', '.', ...inputs)
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}
