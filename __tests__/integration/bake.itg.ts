import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { codeBlocks } from '../docs/documents.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

let line: LineRig

beforeAll(async () => {
  line = await LineRig.create()
  const { workspace, registry } = line
  await workspace.write(
    'docker-bake.hcl',
    `
variable "TAG" { default = "dev" }
group "default" { targets = ["api", "worker"] }
target "base" {
  context = "base"
  args = { NOTE = "two\\nlines" }
}
target "api" {
  context = "api"
  contexts = { base = "target:base" }
  tags = ["${registry}/bake/api:\${TAG}"]
  labels = { note = "two\\nlines" }
}
target "worker" {
  contexts = { base = "target:base", api = "target:api" }
  dockerfile-inline = "FROM base\\nCOPY --from=api /api.txt /\\nCOPY worker.txt /\\n"
  tags = ["${registry}/bake/worker:\${TAG}"]
}
`,
  )
  await workspace.write(
    'base/Dockerfile',
    `FROM ${registry}/base/python:3.11-slim\nARG NOTE\nRUN echo "$NOTE" > /base.txt\n`,
  )
  await workspace.write('api/Dockerfile', 'FROM base\nCOPY api.txt /\n')
  await workspace.write('api/api.txt', 'api\n')
  await workspace.write('worker.txt', 'worker\n')
})
afterAll(() => line.close())

test('targets are built after those that they stand on, and found again all at once', async () => {
  const first = await bake({ vars: 'TAG=one' })
  expect(first.built).toEqual(['api', 'worker'])
  const seen = 'cat /base.txt /api.txt /worker.txt'
  expect(await line.runInside(`${line.registry}/bake/worker:one`, seen)).toContain('two\nlines\napi\nworker')
  const images: Record<string, string> = JSON.parse(first.outputs.get('images') ?? '')
  expect(images.api).toBe(`${line.registry}/bake/api@${await digest('api', 'one')}`)
  const metadata: Record<string, Record<string, unknown>> = JSON.parse(first.outputs.get('metadata') ?? '')
  expect(metadata.worker?.['containerimage.digest']).toBe(await digest('worker', 'one'))

  const second = await bake({ vars: 'TAG=two' })
  expect([second.built, second.outputs.get('skipped')]).toEqual([[], 'true'])
  expect(await digest('worker', 'two')).toBe(await digest('worker', 'one'))
  // Not even the target that the others stand on.
  expect(second.stdout).not.toMatch(/✓ RUN echo/)
})

test('a target that changes is built with what it stands on, and the others are not', async () => {
  await line.workspace.write('worker.txt', 'another worker\n')
  const changed = await bake({ vars: 'TAG=three' })
  expect(changed.built).toEqual(['worker'])
  expect(await digest('api', 'three')).toBe(await digest('api', 'one'))
  expect(await digest('worker', 'three')).not.toBe(await digest('worker', 'one'))
})

test('what a target stands on is part of its content', async () => {
  const changed = await bake({ set: 'base.args.NOTE=other', vars: 'TAG=four' })
  expect(changed.built).toEqual(['api', 'worker'])
  expect(await line.runInside(`${line.registry}/bake/api:four`, 'cat /base.txt')).toContain('other')
})

test('the bake file of the docs can be read', async () => {
  const [block] = codeBlocks('hcl')
  await line.workspace.write('docs.hcl', block?.code ?? '')
  const { exitCode, stdout } = await line.buildx('bake', '--print', '--file', 'docs.hcl')
  expect([exitCode, Object.keys(JSON.parse(stdout).target)]).toEqual([0, ['api', 'base', 'worker']])
})

test('one target alone is built by its name, and what is wrong is said with the target’s name', async () => {
  const one = await bake({ targets: 'api', vars: 'TAG=five' })
  expect([one.built, await digest('worker', 'five')]).toEqual([[], undefined])
  await line.workspace.write('api/Dockerfile', 'FROM base\nCOPY gone.txt /\n')
  const broken = await bake({ vars: 'TAG=six' }, 1)
  expect(broken.annotations.map(({ message }) => message).join('\n')).toMatch(/target api: /)
  const unknown = await bake({ targets: 'nobody' }, 1)
  expect(unknown.annotations[0]?.message).toMatch(/^E_INPUT: files: buildx can't read them: .*nobody/)
})

async function bake(inputs: Readonly<Record<string, string>>, exitCode = 0) {
  const env = { ...line.env(), ...line.cache.env() }
  const main: ActionResult = await line.workspace.bake({ inputs: { push: 'true', ...inputs }, env })
  if (main.exitCode !== exitCode) throw new Error(main.stdout)
  const post = await line.workspace.post(main, { env })
  expect(post.annotations).toEqual([])
  const built: readonly string[] = JSON.parse(main.outputs.get('built') ?? 'null')
  return { ...main, built }
}

function digest(name: string, tag: string): Promise<string | undefined> {
  return digestOfTag(`${line.services.registry}/bake/${name}`, tag)
}
