import { describe, expect, test } from '@jest/globals'
import { lineDiff } from '../../src/migrate/line-diff.ts'
import { migrateWorkflow } from '../../src/migrate/migrate-workflow.ts'

const ACTION = 'org/image-cache-action@v1'

/** A workflow of one job with these steps, each indented by six spaces. */
function workflow(...steps: readonly string[]): string {
  return `# kept\nname: image\non: [push]\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n${steps.join('\n')}\n`
}

async function migrated(text: string): Promise<{ text: string; notes: readonly string[] }> {
  const result = await migrateWorkflow(text, ACTION)
  return { text: result.text, notes: result.notes.map(({ line, what, why }) => `${line} ${what}: ${why}`) }
}

describe('a step of docker/build-push-action', () => {
  test.each([
    ['by tag', '      - uses: docker/build-push-action@v6', `      - uses: ${ACTION}`],
    ['by commit', '      - uses: docker/build-push-action@0a1b2c3d # v6.18.0', `      - uses: ${ACTION}`],
    ['in quotes', '      - uses: "docker/build-push-action@v5"', `      - uses: ${ACTION}`],
    [
      'with a remark of its own',
      '      - uses: docker/build-push-action@v6  # the image',
      `      - uses: ${ACTION}  # the image`,
    ],
    [
      'behind other keys',
      '      - name: Build\n        id: build\n        uses: docker/build-push-action@v4',
      `      - name: Build\n        id: build\n        uses: ${ACTION}`,
    ],
  ])('%s is rewritten, and nothing else', async (_, before, after) => {
    const inputs =
      '        with:\n          context: .\n          push: true   # always\n          tags: |\n            ghcr.io/org/app:1\n            ghcr.io/org/app:2\n'
    const rest = '      # set up\n      - uses: docker/setup-buildx-action@v3'
    const result = await migrated(workflow(rest, before, inputs))
    expect(result.text).toBe(workflow(rest, after, inputs))
    expect(result.notes).toHaveLength(1)
  })

  test('without a context says the repository, which it built', async () => {
    const step =
      '      - uses: docker/build-push-action@v6\n        with:\n          # names\n          tags: org/app:1'
    const result = await migrated(workflow(step))
    expect(result.text).toContain(
      '          # names\n          context: "{{defaultContext}}"\n          tags: org/app:1\n',
    )
    const flow = await migrated(
      workflow('      - uses: docker/build-push-action@v6\n        with: { tags: org/app:1 }'),
    )
    expect(flow.text).toContain('with: {context: "{{defaultContext}}",  tags: org/app:1 }')
  })

  test('keeps line ends of Windows', async () => {
    const step = '      - uses: docker/build-push-action@v6\n        with:\n          tags: org/app:1'
    const { text } = await migrated(workflow(step).replaceAll('\n', '\r\n'))
    expect(text.replaceAll('\r\n', '')).not.toContain('\n')
    expect(text).toContain('"{{defaultContext}}"\r\n          tags')
  })

  test('is found in a composite action, too', async () => {
    const text =
      'runs:\n  using: composite\n  steps:\n    - uses: docker/build-push-action@v6\n      with: {context: .}\n'
    expect((await migrated(text)).text).toContain(`- uses: ${ACTION}\n`)
  })

  test.each([
    [
      'takes expressions for what fits',
      `context: \${{ inputs.a }}\n          push: \${{ inputs.b }}\n          tags: \${{ inputs.c }}`,
    ],
    [
      'takes the outputs of a matrix',
      `context: .\n          outputs: type=image,name=\${{ env.A }},push-by-digest=true,name-canonical=true,push=true`,
    ],
    [
      'takes names in outputs',
      'context: .\n          push: true\n          outputs: type=image,name=org/app,compression=zstd',
    ],
    ['takes caches of GitHub', 'context: .\n          cache-from: type=gha\n          cache-to: type=gha,mode=max'],
  ])('%s', async (_, inputs) => {
    const result = await migrated(
      workflow(`      - uses: docker/build-push-action@v6\n        with:\n          ${inputs}`),
    )
    expect(result.notes).toEqual([`8 rewritten: uses ${ACTION}`])
  })
})

describe('a step of docker/bake-action', () => {
  const ours = 'org/image-cache-action/bake@v1'

  test.each([
    ['with its source', 'docker/bake-action@v7', '\n          source: .'],
    ['with an expression', 'docker/bake-action@v6', `\n          source: \${{ inputs.folder }}`],
    ['of an older version', 'docker/bake-action@v5', ''],
    ['of an older version by commit', 'docker/bake-action@0a1b2c3d4e5f # v5.13.0', ''],
  ])('%s is rewritten, and nothing else', async (_, theirs, more) => {
    const step = (uses: string) =>
      workflow(`      - uses: ${uses}\n        with:\n          targets: all   # both\n          push: true${more}`)
    const result = await migrated(step(theirs))
    expect(result).toEqual({ text: step(ours), notes: [`8 rewritten: uses ${ours}`] })
  })
})

describe('what is not understood is left', () => {
  test.each([
    ['an old version', 'uses: docker/build-push-action@v1', 'version 1 had other inputs'],
    [
      'an input that is not there',
      'uses: docker/build-push-action@v6\n        with: {context: ., repository: a}',
      'no input repository',
    ],
    [
      'a value that can not be',
      'uses: docker/build-push-action@v6\n        with: {context: ., push: maybe}',
      'push: "maybe" is not one of',
    ],
    ['inputs from elsewhere', 'uses: docker/build-push-action@v6\n        with: *inputs', 'not written out one by one'],
    ['bake files out of git', 'uses: docker/bake-action@v6\n        with: {push: true}', 'from git'],
    ['bake files out of git, of a commit', 'uses: docker/bake-action@0a1b2c3d4e5f', 'from git'],
    [
      'a remote definition',
      'uses: docker/bake-action@v6\n        with: {source: "{{defaultContext}}"}',
      'source: "{{defaultContext}}" is no folder',
    ],
    [
      'an input of bake that is not there',
      'uses: docker/bake-action@v5\n        with: {workdir: a}',
      'no input workdir',
    ],
    ['a service', 'uses: depot/build-push-action@v1', 'service of its own'],
  ])('%s', async (_, step, why) => {
    const text = `x: &inputs {context: .}\n${workflow(`      - ${step}`)}`
    const result = await migrated(text)
    expect(result.text).toBe(text)
    expect(result.notes.join()).toContain(why)
    expect(result.notes.join()).toMatch(/^9 left/)
  })

  test('a file that is no YAML', async () => {
    const text = 'steps: [\n  - uses: docker/build-push-action@v6\n'
    const result = await migrated(text)
    expect([result.text, result.notes.length]).toEqual([text, 1])
    expect(result.notes[0]).toContain('no YAML')
  })

  test('a workflow of other actions, without a word', async () => {
    const text = workflow('      - uses: actions/checkout@v6')
    expect(await migrated(text)).toEqual({ text, notes: [] })
  })
})

test('differences are shown as patch takes them', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].join('\n')
  const after = ['a', 'b', 'C', 'd', 'e', 'f', 'g', 'h', 'new', 'i', 'j'].join('\n')
  expect(lineDiff('x.yml', before, after)).toEqual([
    ...['--- x.yml', '+++ x.yml', '@@ -1,5 +1,5 @@', ' a', ' b', '-c', '+C', ' d', ' e'],
    ...['@@ -7,4 +7,5 @@', ' g', ' h', '+new', ' i', ' j'],
  ])
  expect(lineDiff('x.yml', before, before)).toEqual([])
})
