import { describe, expect, test } from '@jest/globals'
import { type BakeTarget, bakeArgs, bakeDefinition, digestOutput } from '../../src/buildx/bake-plan.ts'

const target: BakeTarget = {
  name: 'one',
  context: '/work/app',
  dockerfile: '/tmp/build/Dockerfile',
  stage: 'wanted',
  platforms: [],
  buildArgs: new Map([['WORDS', `two words, $${'{HOME}'} and %{x}`]]),
  buildContexts: new Map([['python', 'docker-image://python@sha256:abc']]),
  secrets: ['id=token,env=TOKEN'],
  output: digestOutput('registry.example/app', 'zstd'),
  cacheFrom: [{ type: 'registry', attributes: new Map([['ref', 'registry.example/app:cache']]) }],
  cacheTo: [],
  noCache: false,
  pull: false,
}

describe('a definition for bake', () => {
  test('says everything of a target and leaves out what is not set', () => {
    expect(JSON.parse(bakeDefinition({ targets: [target], allow: ['network.host'] }))).toEqual({
      target: {
        one: {
          context: '/work/app',
          dockerfile: '/tmp/build/Dockerfile',
          target: 'wanted',
          args: { WORDS: `two words, $$${'{HOME}'} and %%{x}` },
          contexts: { python: 'docker-image://python@sha256:abc' },
          secret: ['id=token,env=TOKEN'],
          output: [
            'type=image,name=registry.example/app,push=true,push-by-digest=true,name-canonical=true,oci-mediatypes=true,compression=zstd',
          ],
          'cache-from': ['type=registry,ref=registry.example/app:cache'],
          entitlements: ['network.host'],
        },
      },
    })
  })

  test('is run with the targets’ names', () => {
    const plan = {
      builder: 'b',
      targets: [target],
      allow: ['network.host'],
      definitionFile: '/b.json',
      metadataFile: '/m',
    }
    expect(bakeArgs(plan)).toEqual([
      ...['bake', '--progress=rawjson', '--builder', 'b', '--allow', 'network.host'],
      ...['--metadata-file', '/m', '--file', '/b.json', 'one'],
    ])
  })
})
