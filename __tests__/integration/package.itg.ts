import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { extract } from 'tar-stream'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

const minutes = 60_000
const root = join(import.meta.dirname, '../..')
const exec = new SpawnExec()
let project: string
/** Paths in the tarball. */
const packed: string[] = []

/** A fresh project with the packed package, and with what it depends on as it is here. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'package-'))
  const modules = join(project, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { ...process.env, PATH: path }
  const pack = await exec.run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root, env })
  if (pack.exitCode !== 0) throw new Error(pack.stderr)
  const archive = extract()
  archive.end(gunzipSync(await readFile(join(project, pack.stdout.trim().split('\n').at(-1) ?? ''))))
  for await (const entry of archive) {
    const name = entry.header.name.replace(/^package\//, '')
    packed.push(name)
    const file = join(modules, 'image-cache-action', name)
    await mkdir(join(file, '..'), { recursive: true })
    const chunks: Uint8Array[] = []
    for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk)
    await writeFile(file, Buffer.concat(chunks))
  }
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
}, 5 * minutes)
afterAll(() => rm(project, { recursive: true }))

async function run(program: string, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await exec.run(program, args, { cwd: project })
  return { exitCode, output: stdout + stderr }
}

test('the package holds the library, the command line and the schema, and none of its sources or tests', () => {
  expect(packed).toEqual(expect.arrayContaining(['lib/index.js', 'lib/index.d.ts', 'dist/cli/index.js', 'LICENSE']))
  expect(packed).toContain('schema/image-spec.schema.json')
  expect(packed.filter((name) => /^(__tests__|bench|docs|examples|src|tools|node_modules)\//.test(name))).toEqual([])
})

test(
  'a program imports the library, and a spec becomes a Dockerfile',
  async () => {
    await writeFile(
      join(project, 'use.js'),
      `import { cached, ImageCacheError, image, parseBuildInputs, renderSpec, TaskCache } from 'image-cache-action'
const spec = image({ python: '3.12' }).pip(['six']).command('python', '-m', 'app').spec
process.stdout.write(renderSpec(spec, { scripts: new Map() }))
const values = new Map([['tags', 'ghcr.io/org/app:1'], ['push', 'maybe']])
try {
  parseBuildInputs((name) => values.get(name) ?? '')
} catch (error) {
  console.log(error instanceof ImageCacheError, error.code, typeof cached, typeof TaskCache)
}
`,
    )
    const { exitCode, output } = await run(process.execPath, 'use.js')
    expect(output).toBe(
      'FROM python:3.12-slim\nWORKDIR /app\nRUN pip install --no-cache-dir six\nCMD ["python","-m","app"]\ntrue E_INPUT function function\n',
    )
    expect(exitCode).toBe(0)
  },
  minutes,
)

test(
  'TypeScript knows its types, and refuses what they refuse',
  async () => {
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    await writeFile(
      join(project, 'use.ts'),
      `import { type BuildInputs, type ImageSpec, checkImages, image, parseBuildInputs } from 'image-cache-action'
export const spec: ImageSpec = image({ base: 'debian:12' }).apt('curl').spec
export const inputs: BuildInputs = parseBuildInputs(() => '')
export const check: typeof checkImages = checkImages
`,
    )
    expect(await run(join(root, 'node_modules/.bin/tsc'), ...options, 'use.ts')).toEqual({ exitCode: 0, output: '' })
    await writeFile(
      join(project, 'wrong.ts'),
      `import { image } from 'image-cache-action'\nimage({ base: 'debian:12' }).pip('six')\n`,
    )
    const wrong = await run(join(root, 'node_modules/.bin/tsc'), ...options, 'wrong.ts')
    expect(wrong.output).toMatch(/wrong\.ts\(2,\d+\): error TS2345/)
  },
  2 * minutes,
)

test(
  'the command line starts from the package',
  async () => {
    const cli = join(project, 'node_modules/image-cache-action/dist/cli/index.js')
    const { exitCode, output } = await run(process.execPath, cli, 'build', '--push', 'x', '--tags', 'UPPER')
    expect(exitCode).toBe(1)
    expect(output).toContain('E_INPUT')
  },
  minutes,
)
