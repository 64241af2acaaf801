import { join } from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/service-set.ts'
import { ActRig } from '../support/act-rig.ts'
import { LineRig } from '../support/line-rig.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

const root = join(import.meta.dirname, '../..')

let line: LineRig
let act: ActRig

beforeAll(async () => {
  line = await LineRig.create()
  act = await ActRig.create(await ensureTool('act'))
  await act.copy(join(root, 'dist'), 'dist')
  await act.copy(join(root, 'action.yml'), 'action.yml')
  await act.write(
    'app/Dockerfile',
    'FROM python:3.11-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY main.py .\n',
  )
  await act.write('app/requirements.txt', 'six==1.17.0\n')
  await act.write('app/main.py', 'import six\n')
  await act.write('.github/workflows/image.yml', workflow())
})

afterAll(async () => {
  await act.close()
  await line.close()
})

test('a workflow builds an image once; its second run puts the tags and builds nothing', async () => {
  const first = await run('one')
  expect(first.exitCode).toBe(0)
  expect(first.outputs.get('image.skipped')).toBe('false')
  expect(first.summary).toContain('built in')
  expect(first.outputs.get('image.digest')).toMatch(/^sha256:[0-9a-f]{64}$/)

  const second = await run('two')
  expect(second.exitCode).toBe(0)
  expect(second.outputs.get('image.skipped')).toBe('true')
  expect(second.outputs.get('image.digest')).toBe(first.outputs.get('image.digest'))
  expect(second.summary).toContain('skipped in')
  expect(await digestOfTag('two')).toBe(first.outputs.get('image.digest'))
})

test('a wrong input fails the job with an annotation that says all', async () => {
  const result = await run('three', { COMPRESSION: 'brotli' })
  expect(result.exitCode).not.toBe(0)
  expect(JSON.stringify(result.annotations)).toContain(
    'compression: \\"brotli\\" is not one of zstd, gzip, estargz, uncompressed',
  )
})

function run(tag: string, env: Readonly<Record<string, string>> = {}) {
  const { PATH: _, ...services } = line.services.env
  const names = { REGISTRY: line.registry, TAG: tag, COMPRESSION: 'zstd', ...env }
  return act.run({ workflow: '.github/workflows/image.yml', env: { ...line.cache.env(), ...services, ...names } })
}

async function digestOfTag(tag: string): Promise<string | null> {
  const answer = await fetch(`http://${line.registry}/v2/team/app/manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json' },
  })
  return answer.headers.get('docker-content-digest')
}

function workflow(): string {
  return `
on: push
jobs:
  image:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: image
        uses: ./
        with:
          context: app
          tags: \${{ env.REGISTRY }}/team/app:\${{ env.TAG }}
          push: true
          compression: \${{ env.COMPRESSION }}
          build-contexts: python:3.11-slim=docker-image://\${{ env.REGISTRY }}/base/python:3.11-slim
          installer-image: \${{ env.REGISTRY }}/base/uv:python3.11
`
}
