import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mountsBelow } from '../../tools/services/mounts.ts'
import { descendants, isRunning } from '../../tools/services/process-table.ts'
import { runProgram } from '../../tools/services/run-program.ts'
import {
  type BaseImages,
  baseImages,
  countingProxy,
  ensureTool,
  patchBase,
  type ServiceSet,
  servicesStatus,
  startServices,
} from '../../tools/services/service-set.ts'

const minutes = 60_000
const repositoryRoot = join(import.meta.dirname, '..', '..')

describe('the services of tests, demo and benchmarks', () => {
  let folder: string
  let services: ServiceSet
  let images: BaseImages

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'services-'))
    services = await startServices({ stateDir: join(folder, 'state') })
    images = await baseImages(services.registry)
  }, 10 * minutes)

  afterAll(async () => {
    await services.stop()
    await rm(folder, { recursive: true, force: true })
  }, minutes)

  test(
    'an image with a RUN step is built and pushed to the registry',
    async () => {
      const dockerfile = `FROM ${images.python}\nRUN python -c "import ssl, sqlite3; print('hello')" > /hello\n`
      const reference = `${services.registry}/app:one`
      await build(dockerfile, ['--push', '--tag', reference])
      const response = await fetch(`http://${services.registry}/v2/app/tags/list`)
      expect(await response.json()).toEqual({ name: 'app', tags: ['one'] })
      // What was pushed can be built upon.
      const output = await build(`FROM ${reference}\nRUN cat /hello\n`)
      expect(output).toMatch(/ hello\n/)
    },
    minutes,
  )

  test(
    'Python in the base image has the paths of the python images, and pip and uv install into them',
    async () => {
      const steps = [
        'pip install -q --root-user-action=ignore six==1.16.0',
        'uv pip install --system --quiet iniconfig==2.0.0',
        `python -c "import six, iniconfig, sys; print('at', sys.prefix, six.__file__, iniconfig.__file__, sys.executable)"`,
      ]
      const output = await build(`FROM ${images.installer}\n${steps.map((step) => `RUN ${step}`).join('\n')}\n`)
      const packages = '/usr/local/lib/python3.11/site-packages'
      expect(output).toContain(
        `at /usr/local ${packages}/six.py ${packages}/iniconfig/__init__.py /usr/local/bin/python`,
      )
    },
    minutes,
  )

  test(
    'a step in the installer image reaches the package index',
    async () => {
      const output = await build(
        `FROM ${images.installer}\nRUN echo six | uv pip compile --quiet --no-header --no-annotate -\n`,
      )
      expect(output).toMatch(/ six==\d/)
    },
    minutes,
  )

  test(
    'an emptied builder has nothing cached, and keeps its name',
    async () => {
      const dockerfile = `FROM ${images.python}\nRUN echo emptied\n`
      const isStepCached = /RUN echo emptied\n(#\d+) CACHED/
      expect(await build(dockerfile)).not.toMatch(isStepCached)
      expect(await build(dockerfile)).toMatch(isStepCached)
      await services.emptyBuilder()
      expect(await buildx(['du'])).toMatch(/Total:\s+0B/)
      expect(await build(dockerfile)).not.toMatch(isStepCached)
    },
    minutes,
  )

  test(
    'a patch gives the base image another digest and other layers, the same number the same ones',
    async () => {
      const [first, again, second] = [
        await patchBase(services.registry, 7),
        await patchBase(services.registry, 7),
        await patchBase(services.registry, 8),
      ]
      expect(again).toBe(first)
      expect(second).not.toBe(first)
      const output = await build(`FROM ${second}\nRUN cat /etc/base-image-patch\n`)
      expect(output).toMatch(/ 8\n/)
    },
    minutes,
  )

  test(
    'the counting proxy sees what the builder pulls and pushes',
    async () => {
      const proxy = await countingProxy(services.registry)
      try {
        await services.emptyBuilder()
        const base = images.python.replace(services.registry, proxy.registry)
        await build(`FROM ${base}\nRUN echo counted > /counted\n`, ['--push', '--tag', `${proxy.registry}/counted:one`])
        const { byRepository, byBlob, pushedBytes } = proxy.snapshot()
        expect(byRepository['base/python']?.pulledBytes).toBeGreaterThan(20_000_000)
        // The base's layer is mounted from its repository or uploaded again; the new layer is pushed in any case.
        expect(pushedBytes).toBeGreaterThan(0)
        expect(Object.values(byBlob).some((blob) => blob.pulledBytes > 20_000_000)).toBe(true)
        proxy.reset()
        expect(proxy.snapshot()).toMatchObject({ requests: 0, pulledBytes: 0, pushedBytes: 0 })
      } finally {
        await proxy.stop()
      }
    },
    minutes,
  )

  test(
    'an emptied registry has no images, keeps its address, and gets the same base images again',
    async () => {
      await services.emptyRegistry()
      const response = await fetch(`http://${services.registry}/v2/_catalog`)
      expect(await response.json()).toEqual({ repositories: [] })
      expect(await baseImages(services.registry)).toEqual(images)
    },
    minutes,
  )

  test(
    'starting twice joins what runs',
    async () => {
      const before = await processIds()
      const second = await startServices({ stateDir: services.stateDir })
      expect(second.registry).toBe(services.registry)
      expect(await processIds()).toEqual(before)
    },
    minutes,
  )

  test(
    'an older daemon runs beside the newer one',
    async () => {
      const older = await startServices({ stateDir: services.stateDir, buildkit: 'v0.27.1' })
      expect(older.builder).not.toBe(services.builder)
      expect(await buildx(['inspect', older.builder])).toMatch(/BuildKit version:\s+v0\.27\.1/)
      expect(await buildx(['inspect', services.builder])).toMatch(/BuildKit version:\s+v0\.33\.1/)
      const output = await build(`FROM ${images.python}\nRUN echo old\n`, ['--builder', older.builder])
      expect(output).not.toContain('CACHED')
    },
    5 * minutes,
  )

  test(
    'stopping leaves no process and no mount, also while a step runs',
    async () => {
      const stateDir = join(folder, 'other')
      const other = await startServices({ stateDir, registry: false })
      const pid = (await recordedPids(stateDir))[0] ?? 0
      const running = build(`FROM ${images.python}\nRUN sleep 300\n`, [], other).catch(() => 'ended')
      const family = await untilSome(() => descendants(pid))
      await other.stop()
      expect(await running).toBe('ended')
      expect(family.filter(isRunning)).toEqual([])
      expect(isRunningPid(pid)).toBe(false)
      expect(await mountsBelow(stateDir)).toEqual([])
      expect((await servicesStatus(stateDir)).builders.map((builder) => builder.running)).toEqual([false, false])
      expect(existsSync(join(stateDir, 'buildkitd-v0.33.1'))).toBe(false)
    },
    2 * minutes,
  )

  test(
    'what is missing is said in one sentence with a remedy',
    async () => {
      const empty = join(folder, 'empty-home')
      await mkdir(empty, { recursive: true })
      const node = await runProgram(process.execPath, ['-p', 'process.execPath'])
      const env = { PATH: '', IMAGE_CACHE_HOME: empty, IMAGE_CACHE_STATE: join(empty, 'state') }
      const up = runProgram(node.trim(), ['tools/services/services.ts', 'up'], { cwd: repositoryRoot, env })
      await expect(up).rejects.toThrow(
        /\nGo is missing, which builds registry v3\.1\.2: install Go [\d.]+ or newer and put `go` on PATH\.$/,
      )
    },
    minutes,
  )

  test('the variables to build with name the builder and the registry', async () => {
    const env = { IMAGE_CACHE_STATE: services.stateDir }
    const printed = await runProgram(process.execPath, ['tools/services/services.ts', 'env'], {
      cwd: repositoryRoot,
      env,
    })
    expect(printed).toContain(`export BUILDX_BUILDER='${services.builder}'\n`)
    expect(printed).toContain(`export REGISTRY='${services.registry}'\n`)
  })

  test('a tool of the cache is not built again', async () => {
    const lines: string[] = []
    expect(await ensureTool('buildx', (line) => lines.push(line))).toMatch(/\/tools\/buildx-v0\.33\.0$/)
    expect(lines).toEqual([])
  })

  async function build(dockerfile: string, args: readonly string[] = [], set: ServiceSet = services): Promise<string> {
    const context = await mkdtemp(join(folder, 'context-'))
    await writeFile(join(context, 'Dockerfile'), dockerfile)
    return await buildx(['build', '--progress', 'plain', ...args, context], set)
  }

  async function buildx(args: readonly string[], set: ServiceSet = services): Promise<string> {
    let stderr = ''
    const onLine = (line: string) => {
      stderr += `${line}\n`
    }
    // The program is named by its path: which PATH finds it is not the same on every system.
    await runProgram(join(set.stateDir, 'bin', 'buildx'), args, { env: set.env, onLine })
    return stderr
  }

  async function processIds(): Promise<readonly number[]> {
    return await recordedPids(services.stateDir)
  }
})

async function recordedPids(stateDir: string): Promise<readonly number[]> {
  const pids: number[] = []
  for (const name of ['buildkitd-v0.33.1', 'registry']) {
    const text = await readFile(join(stateDir, `${name}.pid.json`), 'utf8').catch(() => undefined)
    if (text !== undefined) pids.push(Number(/"pid":(\d+)/.exec(text)?.[1]))
  }
  return pids
}

function isRunningPid(pid: number): boolean {
  return existsSync(`/proc/${pid}`)
}

async function untilSome<T>(look: () => readonly T[]): Promise<readonly T[]> {
  for (;;) {
    const found = look()
    if (found.length > 1) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
