import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { starterWorkflow } from '../../src/starter/starter-workflow.ts'
import { ensureZizmor } from '../../tools/services/ensure-zizmor.ts'
import { ensureTool } from '../../tools/services/service-set.ts'
import { codeBlocks, OWN_FILE, ROOT } from '../docs/documents.ts'

// actionlint is built once.
jest.setTimeout(600_000)

const WORKFLOWS = join(ROOT, '.github/workflows')
let actionlint: string
let folder: string

beforeAll(async () => {
  actionlint = await ensureTool('actionlint')
  folder = await mkdtemp(join(tmpdir(), 'lint-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('actionlint finds nothing in our workflows', async () => {
  const names = await readdir(WORKFLOWS)
  expect(names.length).toBeGreaterThan(1)
  expect(await lint(names.map((name) => join(WORKFLOWS, name)))).toBe('')
})

test('actionlint finds nothing in the workflows of the docs', async () => {
  const blocks = codeBlocks('yaml').filter(({ code }) => !OWN_FILE.test(code))
  const files = blocks.map(async ({ path, code }, index) => {
    const file = join(folder, `${path.replaceAll('/', '-')}-${index}.yml`)
    await writeFile(file, wholeWorkflow(code))
    return file
  })
  expect(blocks.length).toBeGreaterThan(10)
  expect(await lint(await Promise.all(files))).toBe('')
})

test('actionlint finds nothing in the workflows that init makes', async () => {
  const action = { repository: 'org/image-cache-action', version: 'v1' }
  const hub = { context: '.', file: undefined, image: 'org/app', registry: 'docker.io', label: '' }
  const odd = { context: 'a b', file: 'a b/Dockerfile.2', image: 'ghcr.io/org/app/2', registry: 'ghcr.io', label: '2' }
  const projects = [
    { images: [hub], platforms: [] },
    { images: [hub, odd], platforms: ['linux/arm64'] },
    { images: [hub, odd], platforms: ['linux/amd64', 'linux/arm64'] },
  ]
  const files = projects.map(async (project, index) => {
    const file = join(folder, `init-${index}.yml`)
    await writeFile(file, starterWorkflow({ ...project, branch: 'main', action }))
    return file
  })
  expect(await lint(await Promise.all(files))).toBe('')
})

test('actionlint finds what is wrong', async () => {
  const file = join(folder, 'wrong.yml')
  const text = await readFile(join(WORKFLOWS, 'build.yml'), 'utf8')
  await writeFile(file, text.replace('    needs: plan\n', ''))
  expect(await lint([file])).toMatch(/property "plan" is not defined/)
})

describe('zizmor', () => {
  let zizmor: string
  beforeAll(async () => {
    zizmor = await ensureZizmor()
  })
  // It takes a CI machine for a terminal and writes in colours there.
  const audit = (path: string): Promise<string> =>
    said(zizmor, ['--offline', '--pedantic', '--quiet', '--no-progress', '--color=never', path])

  test('finds nothing in our workflows, actions and what updates them', async () => {
    expect(await audit('.')).toMatch(/^No findings to report\./)
  })

  test('finds a text of strangers in a script, and a token that is left behind', async () => {
    const file = join(folder, 'unsafe.yml')
    const text = await readFile(join(WORKFLOWS, 'dependency-review.yml'), 'utf8')
    const title = ['      - run: echo "$', '{{ github.event.pull_request.title }}"\n'].join('')
    await writeFile(file, `${text.replace(/ +with:\n +persist-credentials: false\n/, '')}${title}`)
    const found = await audit(file)
    expect(found).toContain('template-injection')
    expect(found).toContain('artipacked')
  })
})

/** What actionlint says, whatever else is installed: shellcheck and pyflakes are left out. */
async function lint(files: readonly string[]): Promise<string> {
  return await said(actionlint, ['-no-color', '-shellcheck=', '-pyflakes=', ...files])
}

async function said(program: string, args: readonly string[]): Promise<string> {
  return await new Promise((resolve) => {
    execFile(program, args, { cwd: ROOT }, (error, stdout, stderr) => {
      resolve(error === null ? stdout : `${stdout}${stderr}`)
    })
  })
}

/** A workflow around what a document shows of one: jobs, the steps of a job, or some of them. */
function wholeWorkflow(code: string): string {
  const value: unknown = parse(code)
  if (Array.isArray(value)) return wholeWorkflow(`steps:\n${indented(code, 2)}`)
  const shown = Object(value)
  if ('on' in shown) return code
  if ('jobs' in shown) return `on: push\n${code}`
  return `on: push\njobs:\n  shown:\n    runs-on: ubuntu-latest\n${indented(code, 4)}`
}

function indented(code: string, by: number): string {
  return code.replaceAll(/^(?=.)/gm, ' '.repeat(by))
}
