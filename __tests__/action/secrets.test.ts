import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

const WORD = 'swordfish-1234'
const LINES = ['first line of the key', 'second, with "quotes" and = signs']
const SECRETS = `token=${WORD}\n"key=${LINES.join('\n').replaceAll('"', '""')}"`

describe('secrets of a build', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
  })
  afterEach(() => scene.close())

  const inputs = () => scene.inputs({ secrets: SECRETS, 'secret-envs': 'other=FROM_ENV' })
  const env = () => ({ ...scene.cache.env(), FROM_ENV: 'from-the-environment' })
  const hidden = [WORD, ...LINES, 'from-the-environment']

  /** Everything that somebody may read later, but for the commands that tell the runner what to mask. */
  async function everything(results: readonly ActionResult[]): Promise<string> {
    const texts = results.flatMap(({ stdout, stderr, summary, outputs, state }) => [
      stdout.replace(/^::add-mask::.*$/gm, ''),
      stderr,
      summary,
      JSON.stringify([...outputs, ...state]),
    ])
    const entries = JSON.stringify(scene.cache.entries())
    const requests = JSON.stringify(scene.registry.requests)
    return [...texts, entries, requests, ...(await filesBelow(scene.rig.temp))].join('\n')
  }

  test('reach the builder as files of this user alone, and are told to the runner for masking', async () => {
    await scene.builder(`cat "$secret" > '${scene.rig.bin}/last'; printf '{}' > "$metadata"`)
    const result = await scene.rig.main({ inputs: scene.inputs({ secrets: SECRETS }), env: env() })
    expect(result.exitCode).toBe(0)
    expect(await readFile(join(scene.rig.bin, 'last'), 'utf8')).toBe(LINES.join('\n'))
    for (const line of [WORD, ...LINES]) expect(result.stdout).toContain(`::add-mask::${line}`)
  })

  test('are nowhere after a build that went well', async () => {
    await scene.builder(
      `cat "$secret" >&2; echo >&2; printf '{"containerimage.digest":"${scene.image}"}' > "$metadata"`,
    )
    const main = await scene.rig.main({ inputs: inputs(), env: env() })
    expect(main.exitCode).toBe(0)
    const post = await scene.rig.post(main, { inputs: inputs(), env: env() })
    const text = await everything([main, post])
    for (const secret of hidden) expect(text).not.toContain(secret)
    // The ids may be known.
    expect(main.summary).toContain('token=&#42;&#42;&#42;, key=&#42;&#42;&#42;')
  })

  test('are nowhere after a build that failed and printed them', async () => {
    await scene.rig.write(
      'Dockerfile',
      `FROM ${scene.registry.host}/base/python:3.11\nRUN --mount=type=secret,id=key x\n`,
    )
    const digest = `sha256:${'b'.repeat(64)}`
    const time = '2026-01-01T00:00:00Z'
    const vertex = { digest, name: '[2/2] RUN x', started: time, completed: time, error: `exit 1: ${WORD}` }
    const log = { vertex: digest, stream: 1, timestamp: time }
    await scene.builder(`words=$(base64 < "$secret" | tr -d '\\n')
echo '${JSON.stringify({ vertexes: [vertex] })}' >&2
echo '${JSON.stringify({ logs: [{ ...log, data: 'WORDS' }] })}' | sed "s#WORDS#$words#" >&2
echo "ERROR: failed: ${WORD}" >&2
exit 1`)
    const main = await scene.rig.main({ inputs: scene.inputs({ secrets: SECRETS }), env: env() })
    expect(main.exitCode).toBe(1)
    expect(main.annotations[0]?.message).toContain('exit 1: ***')
    // The step's own lines are shown, masked.
    expect(main.annotations[0]?.message).toContain('\n  ***')
    const text = await everything([main])
    for (const secret of hidden) expect(text).not.toContain(secret)
  })

  test('are not quoted when the input is malformed', async () => {
    const result = await scene.rig.main({ inputs: scene.inputs({ secrets: `=${WORD}` }), env: env() })
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toContain('secrets: "entry 1" is not ID=VALUE')
    expect(await everything([result])).not.toContain(WORD)
  })

  test('another value of a secret is no other content, another id is', async () => {
    await scene.builder()
    const keyOf = async (secrets: string) =>
      (await scene.rig.main({ inputs: scene.inputs({ secrets }), env: env() })).outputs.get('content-key')
    const first = await keyOf('token=one')
    expect(first).toMatch(/^sha256:/)
    expect(await keyOf('token=two')).toBe(first)
    expect(await keyOf('other=one')).not.toBe(first)
  })
})

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return await Promise.all(files.map((file) => readFile(file, 'utf8')))
}
