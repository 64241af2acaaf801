import { describe, expect, test } from '@jest/globals'
import { readBakeDefinition } from '../../src/bake/bake-definition.ts'
import { targetValues } from '../../src/bake/target-values.ts'

function read(target: Readonly<Record<string, unknown>>, wanted: readonly string[], groups = {}) {
  return readBakeDefinition(JSON.stringify({ group: { default: { targets: wanted }, ...groups }, target }))
}

/** The values of a target that was asked for. */
function values(attributes: Readonly<Record<string, unknown>>) {
  const [target] = read({ app: attributes }, ['app'])
  if (target === undefined) throw new Error('there is no target')
  return targetValues(target)
}

describe('a definition', () => {
  test('has needed targets before those that need them, and tells which were asked for', () => {
    const targets = read(
      {
        worker: { contexts: { b: 'target:base', api: 'target:api' } },
        api: { contexts: { b: 'target:base' } },
        base: {},
      },
      ['worker', 'api'],
    )
    expect(targets.map(({ name, isWanted }) => [name, isWanted])).toEqual([
      ['base', false],
      ['api', true],
      ['worker', true],
    ])
    expect([...(targets[2]?.needs ?? [])]).toEqual([
      ['b', 'base'],
      ['api', 'api'],
    ])
  })

  test('looks into groups of groups, also those that hold themselves', () => {
    const groups = { all: { targets: ['images', 'base'] }, images: { targets: ['api', 'all'] } }
    const targets = read({ api: {}, base: {}, other: {} }, ['all'], groups)
    expect(targets.filter(({ isWanted }) => isWanted).map(({ name }) => name)).toEqual(['api', 'base'])
  })

  test.each([['no JSON'], ['{}'], ['{"target":[]}']])('that is none is a mistake: %s', (text) => {
    expect(() => readBakeDefinition(text)).toThrow('files: buildx printed no targets')
  })

  test('whose targets need one another is a mistake', () => {
    const circle = { a: { contexts: { b: 'target:b' } }, b: { contexts: { a: 'target:a' } } }
    expect(() => read(circle, ['a'])).toThrow('targets need one another: a, b')
  })
})

describe('a target in the words of the action', () => {
  test('has lists as lines, and objects as fields with the type first', () => {
    const { inputs, problems } = values({
      ...{ tags: ['org/a:1', 'org/b:1'], platforms: ['linux/amd64', 'linux/arm64'], annotations: ['index:x=y'] },
      'cache-from': [{ ref: 'org/c:1', type: 'registry' }, 'org/d'],
      attest: [
        { mode: 'max', type: 'provenance' },
        { type: 'sbom', generator: 'a,b' },
      ],
      ...{ 'no-cache-filter': ['one'], ulimits: ['nofile=1:2'], 'extra-hosts': { db: '10.0.0.1' }, pull: true },
    })
    expect(problems).toEqual([])
    expect(Object.fromEntries([...inputs].filter(([, value]) => value !== ''))).toEqual({
      tags: 'org/a:1\norg/b:1',
      platforms: 'linux/amd64\nlinux/arm64',
      annotations: 'index:x=y',
      'cache-from': 'type=registry,ref=org/c:1\norg/d',
      attests: 'type=provenance,mode=max\ntype=sbom,"generator=a,b"',
      'no-cache-filters': 'one',
      ulimit: 'nofile=1:2',
      'add-hosts': 'db:10.0.0.1',
      pull: 'true',
      context: '.',
      file: './Dockerfile',
    })
  })

  test.each([
    [{ context: 'api/' }, 'api/Dockerfile'],
    [{ context: 'api', dockerfile: 'x/Dockerfile.gpu' }, 'api/x/Dockerfile.gpu'],
    [{ context: 'api', dockerfile: '/abs/Dockerfile' }, '/abs/Dockerfile'],
    [{ context: 'https://github.com/org/app.git#main', dockerfile: 'x/Dockerfile' }, 'x/Dockerfile'],
    [{ context: 'git@github.com:org/app.git' }, 'Dockerfile'],
  ])('has the Dockerfile of %j where the action looks for it', (attributes, file) => {
    expect(values(attributes).inputs.get('file')).toBe(file)
  })

  test.each([
    [[{ type: 'registry' }], { push: 'true' }],
    [[{ type: 'image', push: 'true' }], { push: 'true' }],
    [['type=docker'], { load: 'true' }],
    [[{ type: 'cacheonly' }], {}],
    [[{ type: 'local', dest: 'out' }, { type: 'registry' }], { outputs: 'type=local,dest=out', push: 'true' }],
    [[{ type: 'image', name: 'org/a', push: 'true' }], { outputs: 'type=image,name=org/a,push=true' }],
  ])('with the output %j', (output, wanted) => {
    const { inputs } = values({ output })
    const found = ['push', 'load', 'outputs'].flatMap((name) => (inputs.get(name) ? [[name, inputs.get(name)]] : []))
    expect(Object.fromEntries(found)).toEqual(wanted)
  })

  test('has secrets and agents', () => {
    const { inputs } = values({
      secret: [{ id: 'a', env: 'TOKEN' }, { id: 'b', src: './b.txt' }, { id: 'C' }],
      ssh: [{ id: 'default' }, { id: 'k', paths: ['k1', 'k2'] }],
    })
    expect(inputs.get('secret-envs')).toBe('a=TOKEN\nC=C')
    expect(inputs.get('secret-files')).toBe('b=./b.txt')
    expect(inputs.get('ssh')).toBe('default\nk=k1,k2')
  })

  test('has arguments and labels of several lines, and leaves other targets out of the contexts', () => {
    const found = values({ args: { A: '1\n#2' }, labels: { l: 'x\ny' }, contexts: { base: 'target:x', lib: './lib' } })
    expect([...found.buildArgs, ...found.labels, ...found.contexts]).toEqual([
      ['A', '1\n#2'],
      ['l', 'x\ny'],
      ['lib', './lib'],
    ])
  })

  test('that nobody asked for has no tags and goes nowhere', () => {
    const [base] = read({ base: { tags: ['org/base:1'], output: [{ type: 'registry' }] }, app: {} }, ['app'])
    const inputs = base && targetValues(base).inputs
    expect([inputs?.get('tags'), inputs?.get('push')]).toEqual(['', undefined])
  })

  test('names what it has no word for', () => {
    expect(values({ entitlements: ['network.host'], 'new-thing': 1 }).problems).toEqual(['new-thing is not taken'])
  })
})
