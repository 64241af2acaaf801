import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { githubContext } from '../../src/host/github-host.ts'

// Real processes on a busy machine take their time.
jest.setTimeout(30_000)

const module = JSON.stringify(join(import.meta.dirname, '../../src/host/github-host.ts'))
const FILES = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'] as const

let folder: string
let files: Record<string, string>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'github-host-'))
  files = Object.fromEntries(FILES.map((name) => [name, join(folder, name)]))
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** What a program prints that has a `host`, in a job's environment. */
async function run(script: string, env: Record<string, string> = files): Promise<string> {
  const source = `import { GithubHost } from ${module}; const host = new GithubHost(); await host.ready(); ${script}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    env: { PATH: process.env.PATH, ...env },
  })
  return stdout
}

describe('a host on GitHub', () => {
  test('prints messages as the runner reads them', async () => {
    const printed = await run(`
      host.info('building')
      host.warning('slow', { title: 'Layers', file: 'Dockerfile', line: 3 })
      host.error('two\\nlines')
      host.debug('detail')
      host.group('Dockerfile', ['FROM a', 'RUN b'])
    `)
    expect(printed.split('\n')).toEqual([
      'building',
      '::warning title=Layers,file=Dockerfile,line=3::slow',
      '::error::two%0Alines',
      '::debug::detail',
      '::group::Dockerfile',
      'FROM a',
      'RUN b',
      '::endgroup::',
      '',
    ])
  })

  test('keeps what is said before it is ready, secrets first, and says it in the same order', async () => {
    const source = `import { GithubHost } from ${module}; const host = new GithubHost()
      host.addSecret('hidden'); host.info('one hidden'); host.output('a', 'b'); host.warning('two')
      console.log('loading'); await host.ready(); host.info('three')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
      env: { PATH: process.env.PATH, ...files },
    })
    expect(stdout.split('\n')).toEqual(['loading', '::add-mask::hidden', 'one ***', '::warning::two', 'three', ''])
    expect(await readFile(join(folder, 'GITHUB_OUTPUT'), 'utf8')).toMatch(/^a<<(\S+)\nb\n\1\n$/)
  })

  test('keeps lines of other programs from acting as commands', async () => {
    const printed = await run(`
      host.info('::add-mask::x')
      host.info('a\\n  ::stop-commands::y')
      host.group('log', ['::endgroup::', 'x ##[group]y'])
    `)
    const commands = printed.split('\n').filter((line) => /^\s*::|##\[/.test(line))
    expect(commands).toEqual(['::group::log', '::endgroup::'])
  })

  test('writes outputs and state to their files, also of several lines', async () => {
    await run(`host.output('digest', 'sha256:0'); host.output('tags', 'a\\nb'); host.saveState('key', 'value')`)
    const outputs = await readFile(join(folder, 'GITHUB_OUTPUT'), 'utf8')
    expect(outputs).toMatch(/^digest<<(\S+)\nsha256:0\n\1\ntags<<(\S+)\na\nb\n\2\n$/)
    expect(await readFile(join(folder, 'GITHUB_STATE'), 'utf8')).toMatch(/^key<<(\S+)\nvalue\n\1\n$/)
  })

  test('reads inputs and state from the environment', async () => {
    const env = { 'INPUT_BUILD-ARGS': ' a=b\nc=d \n', STATE_key: 'value' }
    const printed = await run(
      `console.log(JSON.stringify([host.input('build-args'), host.input('file'), host.state('key'), host.state('x')]))`,
      env,
    )
    expect(JSON.parse(printed)).toEqual(['a=b\nc=d', '', 'value', ''])
  })

  test('adds to the summary, in the order of the calls', async () => {
    await run(`await host.summary('# One'); await host.summary('two')`)
    expect(await readFile(join(folder, 'GITHUB_STEP_SUMMARY'), 'utf8')).toBe('# One\ntwo\n')
  })

  test.each([
    ['is not there', {}],
    ['cannot be written', { GITHUB_STEP_SUMMARY: '/nowhere/summary' }],
  ])('goes on when the summary %s, and does not keep what was lost', async (_, env) => {
    const file = join(folder, 'GITHUB_STEP_SUMMARY')
    const script = `
      await host.summary('lost')
      process.env.GITHUB_STEP_SUMMARY = ${JSON.stringify(file)}
      await host.summary('kept')
      host.info('still here')
    `
    expect(await run(script, env)).toMatch(/still here\n$/)
    expect(await readFile(file, 'utf8')).toBe('kept\n')
  })

  test('masks secrets: for the runner line by line, and by itself in messages and summary', async () => {
    const printed = await run(`
      host.addSecret('first-line\\nsecond-line')
      host.addSecret('')
      host.info('x first-line')
      host.error('second-line')
      await host.summary('second-line, https://me:word@index.example/')
    `)
    expect(printed.split('\n')).toEqual([
      '::add-mask::first-line',
      '::add-mask::second-line',
      'x ***',
      '::error::***',
      '',
    ])
    expect(await readFile(join(folder, 'GITHUB_STEP_SUMMARY'), 'utf8')).toBe('***, https://***@index.example/\n')
  })
})

describe('the context of a run', () => {
  test('comes from the variables of the runner', () => {
    const context = githubContext({
      GITHUB_REPOSITORY: 'org/name',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_SHA: '0123456789012345678901234567890123456789',
      GITHUB_SERVER_URL: 'https://git.example',
      GITHUB_RUN_ID: '42',
      GITHUB_WORKSPACE: '/workspace',
      RUNNER_TEMP: '/temp',
    })
    expect(context).toEqual({
      repository: 'org/name',
      ref: 'refs/heads/main',
      commit: '0123456789012345678901234567890123456789',
      runUrl: 'https://git.example/org/name/actions/runs/42',
      tempDir: expect.stringMatching(/^\/temp\/image-cache-[0-9a-f-]{36}$/),
      workspace: '/workspace',
    })
  })

  test('has no run and no repository where there are none', () => {
    expect(githubContext({})).toMatchObject({
      repository: undefined,
      ref: undefined,
      commit: undefined,
      runUrl: undefined,
      workspace: process.cwd(),
    })
  })
})
