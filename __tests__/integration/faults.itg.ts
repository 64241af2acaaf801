import { readdir } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { runProgram } from '../../tools/services/run-program.ts'
import { until } from '../support/action-scene.ts'
import { type JobRun, LineRig } from '../support/line-rig.ts'
import { digestOfTag, readImage } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
}, 5 * minutes)
beforeEach(async () => {
  await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN echo hello > /hello\n')
})
afterEach(() => {
  rig.standIn = undefined
})
afterAll(() => rig.close(), minutes)

/** The one error of a run that failed. */
function errorOf({ exitCode, annotations, outputs, state }: JobRun): string {
  expect(exitCode).toBe(1)
  expect([...outputs.keys()].filter((name) => !['content-key', 'skipped'].includes(name))).toEqual([])
  expect(state.get('saves')).toBeUndefined()
  const errors = annotations.filter(({ level }) => level === 'error')
  expect(errors).toHaveLength(1)
  return errors[0]?.message ?? ''
}

/** The registry answers an error to some requests, in the form of the distribution spec. */
function refuse(status: number, code: string, which: (method: string, path: string) => boolean): void {
  const login = status === 401 ? { 'www-authenticate': 'Basic realm="registry"' } : {}
  const headers = { 'content-type': 'application/json', ...login }
  const body = JSON.stringify({ errors: [{ code, message: 'said the registry' }] })
  rig.standIn = (method, path) => (which(method, path) ? { status, headers, body } : undefined)
}

const refusals = [
  [401, 'UNAUTHORIZED', 'E_REGISTRY_AUTH', 'Log in to the registry'],
  [403, 'DENIED', 'E_REGISTRY_AUTH', 'Log in to the registry'],
  [429, 'TOOMANYREQUESTS', 'E_REGISTRY', 'run the job again'],
  [500, 'UNKNOWN', 'E_REGISTRY', 'run the job again'],
] as const

describe('a registry', () => {
  test(
    'that is down is told with its address',
    async () => {
      const error = errorOf(await rig.run({ ...rig.inputs('app:v1'), tags: '127.0.0.1:1/team/app:v1' }))
      expect(error).toMatch(/^E_REGISTRY: the build failed: .*127\.0\.0\.1:1.*connection refused\n.*run the job again/)
    },
    minutes,
  )

  test.each(refusals)(
    'that answers %d %s to a push is told as %s with a hint',
    async (status, code, expected, hint) => {
      refuse(status, code, (method, path) => /^P/.test(method) && path.startsWith('/v2/app/'))
      const error = errorOf(await rig.run(rig.inputs('app:v1')))
      expect(error).toMatch(new RegExp(`^${expected}: the build failed: .*failed to push ${rig.registry}/app:v1`))
      expect(error).toContain('said the registry')
      expect(error).toContain(hint)
      expect(await digestOfTag(`${rig.services.registry}/app`, 'v1')).toBeUndefined()
    },
    minutes,
  )

  test.each(refusals)(
    'that answers %d %s for a base image is told as %s with a hint',
    async (status, code, expected, hint) => {
      refuse(status, code, (_, path) => path.startsWith('/v2/base/python/'))
      const error = errorOf(await rig.run(rig.inputs('app:v1')))
      expect(error).toMatch(new RegExp(`^${expected}: the build failed: .*base/python:3.11-slim`))
      expect(error).toContain(hint)
    },
    minutes,
  )

  test(
    'that refuses tags for an image that exists leaves it to the build, which is refused, too',
    async () => {
      expect((await rig.run(rig.inputs('tags:v1'))).exitCode).toBe(0)
      refuse(403, 'DENIED', (method, path) => method === 'PUT' && path.startsWith('/v2/tags/manifests/'))
      const run = await rig.run(rig.inputs('tags:v2'))
      expect(errorOf(run)).toMatch(/^E_REGISTRY_AUTH: /)
      expect(run.annotations).toContainEqual({
        level: 'warning',
        message: expect.stringContaining('a tag could not be put'),
      })
    },
    minutes,
  )
})

describe('a cache', () => {
  test.each([403, 500])(
    'that can’t be written (%d) is a warning, and the image is pushed',
    async (status) => {
      refuse(status, 'ANY', (method, path) => method === 'PUT' && path.includes('/manifests/cache-'))
      const run = await rig.run(rig.inputs(`unwritten-${status}:v1`))
      expect(run.exitCode).toBe(0)
      expect(run.annotations).toMatchObject([
        { level: 'warning', message: expect.stringMatching(/^cache export failed, the image is not affected: /) },
      ])
      const { digest } = await readImage(`${rig.services.registry}/unwritten-${status}`, 'v1')
      expect(run.outputs.get('digest')).toBe(digest)
    },
    minutes,
  )

  test(
    'that can’t be read is a warning, and the image is built',
    async () => {
      refuse(500, 'UNKNOWN', (method, path) => method !== 'PUT' && path.includes('/manifests/cache-'))
      const run = await rig.run(rig.inputs('unread:v1'))
      expect(run.exitCode).toBe(0)
      expect(run.annotations[0]).toMatchObject({
        level: 'warning',
        message: expect.stringMatching(/^import type=registry,.*failed, the image is not affected: .*500/),
      })
      expect(await digestOfTag(`${rig.services.registry}/unread`, 'v1')).toBe(run.outputs.get('digest'))
    },
    minutes,
  )

  test(
    'that is damaged is no harm',
    async () => {
      expect((await rig.run(rig.inputs('damaged:v1'))).exitCode).toBe(0)
      const wrong = Buffer.from('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}')
      rig.standIn = (method, path) =>
        method === 'GET' && path.includes('/v2/damaged/manifests/')
          ? { status: 200, headers: { 'content-type': 'application/json' }, body: wrong.toString() }
          : undefined
      const run = await rig.run(rig.inputs('damaged:v2', { force: 'true' }))
      expect(run.exitCode).toBe(0)
      rig.standIn = undefined
      expect(await digestOfTag(`${rig.services.registry}/damaged`, 'v2')).toBe(run.outputs.get('digest'))
    },
    minutes,
  )
})

describe('a build', () => {
  test(
    'whose own step fails names the step, its line in the user’s file and its last words',
    async () => {
      const text = 'FROM python:3.11-slim\nRUN pip install six==1.17.0\nRUN echo last words && false\n'
      await rig.workspace.write('docker/app.Dockerfile', text)
      const error = errorOf(await rig.run(rig.inputs('app:v1', { file: 'docker/app.Dockerfile' })))
      expect(error).toMatch(
        /^E_BUILD: the build failed: .*RUN echo last words && false \(docker\/app\.Dockerfile:3\): /,
      )
      expect(error).toContain('exit code: 1')
      expect(error).toMatch(/\n {2}last words\n/)
    },
    minutes,
  )

  test(
    'with a warning of the builder shows it once, at its line in the user’s file',
    async () => {
      const text = 'FROM python:3.11-slim\nRUN pip install six==1.17.0\nMAINTAINER nobody\n'
      await rig.workspace.write('Dockerfile', text)
      const run = await rig.run(rig.inputs('warned:v1'))
      expect(run.exitCode).toBe(0)
      expect(run.annotations).toEqual([
        {
          level: 'warning',
          message: expect.stringMatching(/^MaintainerDeprecated: .*\(line 3\)$/),
          file: 'Dockerfile',
          line: 3,
        },
      ])
      expect(run.summary.match(/^- ⚠️/gm)).toHaveLength(1)
    },
    minutes,
  )

  test(
    'that asks for a package that does not exist fails with what the index said',
    async () => {
      await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN pip install six==99.99\n')
      const error = errorOf(await rig.run(rig.inputs('app:v1')))
      expect(error).toMatch(/^E_BUILD: [\s\S]*No matching distribution found for six==99\.99/)
    },
    minutes,
  )

  test(
    'on a base image that is not there names the image',
    async () => {
      await rig.workspace.write('Dockerfile', `FROM ${rig.registry}/base/none:1\nRUN true\n`)
      expect(errorOf(await rig.run(rig.inputs('app:v1')))).toMatch(/base\/none:1: not found/)
    },
    minutes,
  )

  test(
    'on a builder that is not there says so',
    async () => {
      const error = errorOf(await rig.run(rig.inputs('app:v1', { builder: 'nobody' })))
      expect(error).toMatch(/^E_BUILDER: builder nobody does not answer: .*no builder "nobody" found\nMake one/)
    },
    minutes,
  )

  test(
    'on a full disk says so',
    async () => {
      const temp = rig.workspace.temp
      await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', temp])
      try {
        const error = errorOf(await rig.run(rig.inputs('app:v1')))
        expect(error).toMatch(/^E_DISK_FULL: .*\n.*[Ff]ree space/)
        expect(await leftovers()).toEqual([])
      } finally {
        await runProgram('umount', [temp])
      }
    },
    minutes,
  )

  test(
    'that is cancelled ends at once, on the builder too, and leaves nothing half done',
    async () => {
      await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN echo begun && sleep 299.75\n')
      const step = { inputs: rig.inputs('cancelled:v1'), env: { ...rig.env(), ...rig.cache.env() } }
      const before = { files: await leftovers(), entries: rig.cache.entries().length }
      const running = rig.workspace.start('main', step)
      await until(() => isSleeping())
      process.kill(running.pid, 'SIGTERM')
      const result = await running.result
      expect(result.exitCode).toBe(1)
      expect(result.annotations).toMatchObject([{ level: 'error', message: expect.stringMatching(/^E_CANCELLED: /) }])
      expect(result.summary).toContain('cancelled')
      await until(async () => !(await isSleeping()))
      expect(await leftovers()).toEqual(before.files)
      await rig.workspace.post(result, step)
      expect(rig.cache.entries()).toHaveLength(before.entries)
      expect(await digestOfTag(`${rig.services.registry}/cancelled`, 'v1')).toBeUndefined()
    },
    minutes,
  )
})

describe('a secret', () => {
  const word = 'swordfish-1234'

  test(
    'is seen by the step that mounts it and by nobody else',
    async () => {
      const mount = '--mount=type=secret,id=token'
      await rig.workspace.write(
        'Dockerfile',
        `FROM python:3.11-slim\nRUN ${mount} cat /run/secrets/token && wc -c < /run/secrets/token > /length\n`,
      )
      const run = await rig.run(rig.inputs('secret:v1', { secrets: `token=${word}` }))
      expect(run.exitCode).toBe(0)
      expect(
        await rig.runInside(`${rig.registry}/secret:v1`, `cat /length && ! grep -r ${word.slice(0, 9)} /run /tmp`),
      ).toMatch(new RegExp(`^${word.length}$`, 'm'))
      const shown = [run.stdout.replace(/^::add-mask::.*$/gm, ''), run.stderr, run.summary, ...run.outputs.values()]
      expect([...shown, ...run.state.values(), JSON.stringify(rig.cache.entries())].join('\n')).not.toContain(word)
    },
    minutes,
  )

  test(
    'that a failing step prints is masked in the error',
    async () => {
      const mount = '--mount=type=secret,id=token'
      await rig.workspace.write('Dockerfile', `FROM python:3.11-slim\nRUN ${mount} cat /run/secrets/token && false\n`)
      const run = await rig.run(rig.inputs('secret:v2', { secrets: `token=${word}` }))
      expect(errorOf(run)).toContain('\n  ***')
      const shown = [run.stdout.replace(/^::add-mask::.*$/gm, ''), run.stderr, run.summary]
      expect(shown.join('\n')).not.toContain(word)
    },
    minutes,
  )
})

/** Whether the step of a build that is to be cancelled runs on the builder. */
/** What runs left behind; the folder in which steps leave notes for each other is the job's. */
async function leftovers(): Promise<readonly string[]> {
  return (await readdir(rig.workspace.temp)).filter((name) => name !== 'image-cache')
}

async function isSleeping(): Promise<boolean> {
  const stdout = await runProgram('ps', ['-eo', 'args'])
  return stdout.split('\n').some((line) => line.trim() === 'sleep 299.75')
}
