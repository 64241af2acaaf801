import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/service-set.ts'
import { ActRig } from '../support/act-rig.ts'
import { LineRig } from '../support/line-rig.ts'
import { tagsOf } from '../support/oci-image.ts'

const minutes = 60_000
const root = join(import.meta.dirname, '../..')
const WORKFLOW = '.github/workflows/image.yml'

let line: LineRig
let act: ActRig

beforeAll(async () => {
  line = await LineRig.create()
  act = await ActRig.create(await ensureTool('act'))
  for (const path of ['dist', 'action.yml', 'merge']) await act.copy(join(root, path), path)
  await act.write('app/Dockerfile', 'FROM scratch\nARG TARGETARCH\nARG NOTE\nCOPY hello.txt /$TARGETARCH\n')
  await act.write('app/hello.txt', 'hello\n')
  await act.write(WORKFLOW, workflow())
}, 15 * minutes)

afterAll(async () => {
  await act.close()
  await line.close()
}, minutes)

test(
  'jobs of a matrix push by digest, one job merges them; the second run builds nothing and changes nothing',
  async () => {
    const first = await run('one')
    expect(first.exitCode).toBe(0)
    expect(first.outputs.get('merge.platforms')).toBe('linux/amd64,linux/arm64')
    expect(await skippedJobs()).toEqual({ amd64: 'false', arm64: 'false' })
    const tags = await tagsOf(`${line.services.registry}/team/app`)
    // Nothing but the merged image has a name of the user's, and the jobs' caches lie side by side.
    expect(tags.filter((tag) => !/^(content|cache)-/.test(tag))).toEqual(['one'])
    expect(tags.filter((tag) => tag.startsWith('cache-')).sort()).toEqual([
      'cache-image-linux-amd64',
      'cache-image-linux-arm64',
    ])
    const said = await inspect('one')
    expect(said.filter((os) => os === 'linux').length).toBe(2)
    expect(said.filter((os) => os === 'unknown').length).toBe(2)

    const second = await run('two')
    expect(second.exitCode).toBe(0)
    expect(await skippedJobs()).toEqual({ amd64: 'true', arm64: 'true' })
    expect(second.outputs.get('merge.digest')).toBe(first.outputs.get('merge.digest'))
  },
  10 * minutes,
)

test(
  'one platform that changes is the only one that is built',
  async () => {
    const changed = await run('three', { ARM_NOTE: 'other' })
    expect(changed.exitCode).toBe(0)
    expect(await skippedJobs()).toEqual({ amd64: 'true', arm64: 'false' })
  },
  10 * minutes,
)

/** What the jobs wrote of themselves in the last run. */
async function skippedJobs(): Promise<Readonly<Record<string, string>>> {
  const read = (arch: string): Promise<string> => readFile(join(line.workspace.temp, arch), 'utf8')
  return { amd64: (await read('amd64')).trim(), arm64: (await read('arm64')).trim() }
}

async function inspect(tag: string): Promise<readonly string[]> {
  const { stdout } = await line.buildx('imagetools', 'inspect', '--raw', `${line.registry}/team/app:${tag}`)
  const index: { manifests: { platform: { os: string } }[] } = JSON.parse(stdout)
  return index.manifests.map(({ platform }) => platform.os)
}

function run(tag: string, more: Readonly<Record<string, string>> = {}) {
  const { PATH: _, ...services } = line.services.env
  const names = { REGISTRY: line.registry, TAG: tag, TEMP_FOLDER: line.workspace.temp, ARM_NOTE: '', ...more }
  return act.run({ workflow: WORKFLOW, env: { ...line.cache.env(), ...services, ...names } })
}

function workflow(): string {
  return `
on: push
jobs:
  build:
    strategy:
      matrix:
        arch: [amd64, arm64]
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: image
        uses: ./
        with:
          context: app
          platforms: linux/\${{ matrix.arch }}
          tags: \${{ env.REGISTRY }}/team/app
          push: by-digest
          build-args: NOTE=\${{ matrix.arch == 'arm64' && env.ARM_NOTE || '' }}
      - run: |
          mkdir -p "$TEMP_FOLDER/digests-$TAG"
          touch "$TEMP_FOLDER/digests-$TAG/\${DIGEST#sha256:}"
          echo "\${{ steps.image.outputs.skipped }}" > "$TEMP_FOLDER/\${{ matrix.arch }}"
        env:
          DIGEST: \${{ steps.image.outputs.digest }}
  merge:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: merge
        uses: ./merge
        with:
          tags: \${{ env.REGISTRY }}/team/app:\${{ env.TAG }}
          digests-folder: \${{ env.TEMP_FOLDER }}/digests-\${{ env.TAG }}
          platforms: linux/amd64,linux/arm64
`
}
