import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'yaml'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

// Every command is a process of its own.
jest.setTimeout(60_000)

const CLI = resolve(import.meta.dirname, '../../dist/cli/index.js')
let scene: ActionScene
let home: string

beforeEach(async () => {
  scene = await createScene()
  home = await realpath(await mkdtemp(join(tmpdir(), 'surroundings-')))
})
afterEach(async () => {
  await scene.close()
  await rm(home, { recursive: true })
})

/** Runs the command line where nothing is on PATH but what a test puts there. */
async function cli(...args: readonly string[]) {
  const env = {
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    PATH: scene.rig.bin,
    GITHUB_ACTIONS: '',
    NO_COLOR: '1',
  }
  return await new SpawnExec().run(process.execPath, [CLI, ...args], { cwd: scene.rig.workspace, env })
}

async function addGit(): Promise<void> {
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  await symlink(git, join(scene.rig.bin, 'git'))
}

/** A `buildx` that answers `inspect` and `version`. */
async function addBuilder(driver: string, buildkit: string): Promise<void> {
  const said = `Name: team\\nDriver: ${driver}\\nBuildKit version: v${buildkit}\\nPlatforms: linux/amd64*, linux/arm64\\n`
  const version = 'echo github.com/docker/buildx v0.33.0 abc'
  await scene.rig.stub('buildx', `case "$1" in inspect) printf '${said}' ;; version) ${version} ;; *) exit 1 ;; esac\n`)
}

describe('image-cache doctor', () => {
  test('says of each thing whether it works', async () => {
    await addBuilder('docker-container', '0.33.1')
    await addGit()
    await scene.rig.stub('uv', 'echo uv 0.13.8\n')
    const { exitCode, stdout } = await cli('doctor', '--tags', `${scene.repository}:seed`, '--push')
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual([
      `✓ node: ${process.version}`,
      '✓ builder: team: docker-container driver, BuildKit 0.33.1, linux/amd64 linux/arm64; buildx v0.33.0',
      expect.stringMatching(/^✓ git: git version /),
      '✓ uv: uv 0.13.8',
      `✓ read ${scene.repository}: seed is ${scene.image}`,
      `✓ push to ${scene.repository}: two bytes were written`,
      '✓ store local: answers',
    ])
    expect(exitCode).toBe(0)
  })

  test('says what is missing and what to do, and ends with 1 when a build can not work', async () => {
    scene.registry.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const { exitCode, stdout } = await cli('doctor', '--tags', `${scene.repository}:v1`, '--store', 'off', '--json')
    const findings: { what: string; outcome: string; hint: string }[] = JSON.parse(stdout)
    expect(Object.fromEntries(findings.map(({ what, outcome }) => [what, outcome]))).toEqual({
      node: 'works',
      builder: 'broken',
      git: 'limited',
      uv: 'limited',
      [`read ${scene.repository}`]: 'broken',
      'store off': 'limited',
    })
    expect(findings.filter(({ outcome, hint }) => outcome !== 'works' && hint === '')).toEqual([])
    expect(exitCode).toBe(1)
    // Without --push nothing is written anywhere.
    expect(scene.registry.kinds.filter((kind) => /^(POST|PUT|PATCH)/.test(kind))).toEqual([])
  })

  test.each([
    ['docker', '0.33.1', "this driver can't export caches"],
    ['remote', '0.27.1', 'the cache is exported after the push'],
  ])('finds the %s driver with BuildKit %s good enough, and says what it lacks', async (driver, buildkit, lack) => {
    await addBuilder(driver, buildkit)
    const { exitCode, stdout } = await cli('doctor')
    expect(stdout).toMatch(/^! builder: /m)
    expect(stdout).toContain(lack)
    expect(exitCode).toBe(0)
  })
})

describe('image-cache init', () => {
  test('shows a workflow named after the remote, and writes nothing', async () => {
    await addGit()
    execFileSync('git', ['init', '--quiet'], { cwd: scene.rig.workspace })
    execFileSync('git', ['remote', 'add', 'origin', 'git@github.com:Org/App.git'], { cwd: scene.rig.workspace })
    const { exitCode, stdout } = await cli('init')
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`ghcr.io/org/app:\${{ github.sha }}`)
    expect(stdout).toContain('# .dockerignore\n.git\n')
    await expect(readFile(join(scene.rig.workspace, '.dockerignore'))).rejects.toThrow('ENOENT')
  })

  test('writes it, and not over what is there', async () => {
    await scene.rig.write('.dockerignore', '*.md\n')
    const first = await cli('init', '--image', 'ghcr.io/org/app', '--write')
    expect([first.exitCode, first.stderr]).toEqual([0, ''])
    const path = join(scene.rig.workspace, '.github/workflows/image.yml')
    expect(Object.keys(parse(await readFile(path, 'utf8')).jobs)).toEqual(['image'])
    expect(await readFile(join(scene.rig.workspace, '.dockerignore'), 'utf8')).toBe('*.md\n')
    const second = await cli('init', '--image', 'ghcr.io/org/other', '--write')
    expect([second.exitCode, second.stderr]).toEqual([
      1,
      expect.stringContaining('.github/workflows/image.yml is there already'),
    ])
    expect((await cli('init', '--image', 'ghcr.io/org/other', '--write', '--force')).exitCode).toBe(0)
    expect(await readFile(path, 'utf8')).toContain('ghcr.io/org/other')
  })

  test('makes a job for each Dockerfile, named by its folder', async () => {
    for (const path of ['api', 'old/api', 'node_modules/x'])
      await scene.rig.write(`${path}/Dockerfile`, 'FROM scratch\n')
    await scene.rig.write('worker/Dockerfile.gpu', 'FROM scratch\n')
    await scene.rig.write('worker/Dockerfile.dockerignore', '*\n')
    const { stdout } = await cli('init', '--image', 'ghcr.io/org/app', '--json')
    const text: string = JSON.parse(stdout).files['.github/workflows/image.yml']
    const images = [...text.matchAll(/(ghcr\.io\S+):\$\{\{ github\.sha/g)].map(([, name]) => name)
    expect(images).toEqual(['', '/api', '/old-api', '/worker-gpu'].map((end) => `ghcr.io/org/app${end}`))
  })

  test.each([
    ['without a Dockerfile', ['init', 'empty', '--image', 'ghcr.io/org/app'], 'there is no Dockerfile in'],
    ['without a name', ['init'], 'git knows no remote'],
    ['with a name that no registry takes', ['init', '--image', 'Org/App'], '"Org/App"'],
  ])('says what it needs %s', async (_, args, said) => {
    await scene.rig.write('empty/hello.txt', '')
    const { exitCode, stderr } = await cli(...args)
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(said)])
  })
})
