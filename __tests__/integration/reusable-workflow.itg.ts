import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ensureTool } from '../../tools/services/service-set.ts'
import { ActRig } from '../support/act-rig.ts'
import { LineRig } from '../support/line-rig.ts'
import { digestOfTag, tagsOf } from '../support/oci-image.ts'

const minutes = 60_000
const root = join(import.meta.dirname, '../..')
const BUILD = '.github/workflows/build.yml'
const CALLER = '.github/workflows/image.yml'

let line: LineRig
let act: ActRig
/** Folders in the place of the repositories that the workflow uses, as act takes them. */
let repositories: readonly string[]
let folder: string

beforeAll(async () => {
  line = await LineRig.create()
  act = await ActRig.create(await ensureTool('act'))
  folder = await mkdtemp(join(tmpdir(), 'reusable-'))
  const us = join(folder, 'us')
  for (const path of ['dist', 'action.yml', 'check', 'merge', BUILD]) {
    await cp(join(root, path), join(us, path), { recursive: true })
  }
  // What the others do on a runner is there already: a builder, and a registry that wants no login.
  const text = await readFile(join(root, BUILD), 'utf8')
  const used = [...text.matchAll(/uses: ((?:docker|actions)\/[\w-]+@[0-9a-f]{40})/g)].map(([, name = '']) => name)
  expect(new Set(used).size).toBe(4)
  const [nothing, checkout] = [join(folder, 'nothing'), join(folder, 'checkout')]
  await standIn(nothing, 'echo nothing to do')
  await standIn(checkout, `cp -a ${act.repository}/. .`)
  repositories = [
    `--local-repository=org/image-cache-action@v1=${us}`,
    ...[...new Set(used)].map(
      (name) => `--local-repository=${name}=${name.startsWith('actions/checkout@') ? checkout : nothing}`,
    ),
  ]
  await act.write('app/Dockerfile', 'FROM scratch\nARG TARGETARCH\nCOPY hello.txt /$TARGETARCH\n')
  await act.write('app/hello.txt', 'hello\n')
}, 15 * minutes)

afterAll(async () => {
  await act.close()
  await line.close()
  await rm(folder, { recursive: true })
}, minutes)

test(
  'a platform that is new is the only one that is built, and without anything new nothing is',
  async () => {
    const first = await run('one', 'linux/amd64')
    expect(first).toMatchObject({ exitCode: 0, built: ['linux/amd64'], skipped: 'false', platforms: 'linux/amd64' })

    const both = await run('two, three', 'linux/amd64,linux/arm64')
    expect(both).toMatchObject({ exitCode: 0, built: ['linux/arm64'], skipped: 'false' })
    expect(both.platforms).toBe('linux/amd64,linux/arm64')

    const again = await run(`four, ${line.registry}/other/app:four`, 'linux/amd64,linux/arm64')
    expect(again).toMatchObject({ exitCode: 0, built: [], skipped: 'true', digest: both.digest })

    expect(await digestOfTag(`${line.services.registry}/other/app`, 'four')).toBe(both.digest)
    const repository = `${line.services.registry}/team/app`
    expect((await tagsOf(repository)).filter((tag) => !/^(content|cache)-/.test(tag)).sort()).toEqual(
      ['one', 'two', 'three', 'four'].sort(),
    )
    for (const tag of ['two', 'three', 'four']) expect(await digestOfTag(repository, tag)).toBe(both.digest)
  },
  10 * minutes,
)

test(
  'a new source is built for every platform; without push too, and then nothing is looked for or put',
  async () => {
    await act.write('app/hello.txt', 'hello again\n')
    const dry = await run('five', 'linux/amd64,linux/arm64', 'false')
    expect(dry).toMatchObject({ exitCode: 0, built: ['linux/amd64', 'linux/arm64'], digest: '' })
    const changed = await run('five', 'linux/amd64,linux/arm64')
    expect(changed).toMatchObject({ exitCode: 0, built: ['linux/amd64', 'linux/arm64'] })
    expect(changed.platforms).toBe('linux/amd64,linux/arm64')
    expect(await digestOfTag(`${line.services.registry}/team/app`, 'five')).toBe(changed.digest)
  },
  10 * minutes,
)

/** An action of one command. */
async function standIn(path: string, command: string): Promise<void> {
  await mkdir(path)
  const step = `    - run: ${command}\n      shell: sh\n`
  await writeFile(join(path, 'action.yml'), `name: stand-in\nruns:\n  using: composite\n  steps:\n${step}`)
}

async function run(tags: string, platforms: string, push = 'true') {
  await act.write(CALLER, caller(tags, platforms, push))
  const { PATH: _, ...services } = line.services.env
  const said = await act.run({
    workflow: CALLER,
    env: { ...line.cache.env(), ...services },
    args: [...repositories, '--platform=ubuntu-24.04-arm=-self-hosted'],
  })
  const [, outputs = '{}'] = /outputs=(\{.*?\})=outputs/s.exec(said.text.replaceAll(/\n\[[^\]]*\] ?/g, '')) ?? []
  const { digest = '', skipped = '', platforms: of = '' }: Record<string, string> = JSON.parse(outputs)
  const lines = said.text.matchAll(/^\[image\/build\/build \((linux\/\w+)\)[^\]]*\] \S+: built in /gm)
  const built = [...lines].map(([, name = '']) => name).sort()
  return { exitCode: said.exitCode, digest, skipped, platforms: of, built, text: said.text }
}

function caller(tags: string, platforms: string, push: string): string {
  return `
on: push
jobs:
  image:
    uses: org/image-cache-action/.github/workflows/build.yml@v1
    with:
      image: ${line.registry}/team/app
      tags: ${tags}
      platforms: ${platforms}
      push: ${push}
      builder: ${line.services.builder}
      context: app
  after:
    needs: image
    runs-on: ubuntu-latest
    steps:
      - env:
          OUTPUTS: \${{ toJSON(needs.image.outputs) }}
        run: echo "outputs=$(echo "$OUTPUTS" | tr -d '\\n')=outputs"
`
}
