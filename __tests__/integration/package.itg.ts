import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { extract } from 'tar-stream'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { codeBlocks } from '../docs/documents.ts'

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

async function textOf(folder: string): Promise<string> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js'))
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n')
}

test('the package holds the library, the command line and the schema, and none of its sources or tests', () => {
  expect(packed).toEqual(expect.arrayContaining(['lib/index.js', 'lib/index.d.ts', 'dist/cli/index.js', 'LICENSE']))
  expect(packed).toContain('schema/image-spec.schema.json')
  expect(packed.filter((name) => /^(__tests__|bench|docs|examples|src|tools|node_modules)\//.test(name))).toEqual([])
})

test(
  'a program imports the library: specs, keys, renderings, stores and tasks work without a service',
  async () => {
    await mkdir(join(project, 'context'))
    await writeFile(join(project, 'context/Dockerfile'), 'FROM scratch\nCOPY . /\n')
    await writeFile(
      join(project, 'use.js'),
      `import { buildImage, checkBuild, contentKey, ImageCacheError, image, openStore, openTaskCache, renderDockerfile, renderSpec } from 'image-cache-action'
process.stdout.write(renderSpec(image({ python: '3.12' }).pip(['six']).command('python', '-m', 'app').spec))
const settings = { context: 'context', 'optimize-layers': false, store: 'off' }
const { key, files } = await contentKey(settings)
console.log(key.length, [...files.keys()].join())
console.log((await renderDockerfile(settings)).assembly)
console.log((await checkBuild({ ...settings, tags: ['127.0.0.1:1/app:1'] })).outcome)
const tasks = openTaskCache({ store: openStore('local', { folder: 'store' }) })
const task = { name: 'sum', run: 'echo 3 > sum.txt', outputs: { files: ['sum.txt'] } }
console.log((await tasks.run(task)).status, (await tasks.run(task)).status)
try {
  await buildImage({ ...settings, push: 'maybe', tag: 'x' })
} catch (error) {
  console.log(error instanceof ImageCacheError, error.code, error.message)
}
`,
    )
    const { exitCode, output } = await run(process.execPath, 'use.js')
    expect(output).toBe(`FROM python:3.12-slim
WORKDIR /app
RUN pip install --no-cache-dir six
CMD ["python","-m","app"]
71 Dockerfile
as-written
unknown
miss hit
true E_INPUT tag: there is no such input
`)
    expect(exitCode).toBe(0)
  },
  minutes,
)

test(
  'a bundler keeps of the library what is used: the planner comes without clients of anything',
  async () => {
    await writeFile(
      join(project, 'planner.js'),
      "import { planLayers } from 'image-cache-action'\nconsole.log(planLayers)\n",
    )
    const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
    const args = ['build', 'planner.js', '--out', 'planner', '--minify', '--quiet']
    const { exitCode, stderr } = await exec.run('ncc', args, { cwd: project, env: { PATH: path } })
    expect([exitCode, stderr]).toEqual([0, ''])
    const planner = await textOf(join(project, 'planner'))
    expect(planner.length).toBeLessThan(20_000)
    // The words stand in the bundle of everything.
    const everything = await textOf(join(project, 'node_modules/image-cache-action/dist/bundle'))
    for (const word of ['S3Client', 'BlobServiceClient', 'docker-content-digest'])
      expect([word, planner.includes(word), everything.includes(word)]).toEqual([word, false, true])
  },
  minutes,
)

test('what has side effects is named: the programs, and nothing that the library imports', async () => {
  const { sideEffects } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const entries = await readdir(join(root, 'src/entry'))
  const programs = await Promise.all(
    entries.map(async (file) => {
      const text = await readFile(join(root, 'src/entry', file), 'utf8')
      return /^(?!import |export |const |async function |function |type |interface )\w/m.test(text) ? [file] : []
    }),
  )
  const named = programs.flat().map((file) => `lib/entry/${file.replace(/ts$/, 'js')}`)
  expect(sideEffects).toEqual(['dist/**/*.js', ...named.sort()])
})

test(
  'TypeScript knows its types, takes the examples of the docs, and refuses what the types refuse',
  async () => {
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    await writeFile(
      join(project, 'use.ts'),
      `import { type BuildSettings, type ImageSpec, type Store, image, openStore } from 'image-cache-action'
export const spec: ImageSpec = image({ base: 'debian:12' }).apt('curl').spec
export const settings: BuildSettings = { tags: ['org/app:1'], push: true, 'max-layers': 4, 'build-args': { A: '1' } }
export const store: Store = openStore('off')
`,
    )
    const examples = codeBlocks('ts').filter(({ code }) => code.includes("from 'image-cache-action'"))
    expect(examples.length).toBeGreaterThan(7)
    const files = examples.map(({ path }, index) => `${path.replaceAll(/\W/g, '-')}-${index}.ts`)
    await Promise.all(examples.map(({ code }, index) => writeFile(join(project, files[index] ?? ''), code)))
    const right = await run(join(root, 'node_modules/.bin/tsc'), ...options, 'use.ts', ...files)
    expect(right).toEqual({ exitCode: 0, output: '' })
    await writeFile(
      join(project, 'wrong.ts'),
      `import { buildImage, image } from 'image-cache-action'
image({ base: 'debian:12' }).pip('six')
await buildImage({ buildArgs: {} })
await buildImage({ push: ['yes'] })
`,
    )
    const wrong = await run(join(root, 'node_modules/.bin/tsc'), ...options, 'wrong.ts')
    expect([...wrong.output.matchAll(/wrong\.ts\((\d),\d+\): error/g)].map(([, line]) => line)).toEqual(['2', '3', '4'])
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
