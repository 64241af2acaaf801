import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { attestedProvenance } from '../../src/buildx/attested-provenance.ts'
import { attestArgs, decidingOptions, optionArgs } from '../../src/buildx/builder-options.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { defaultContext, fillInputs } from '../../src/inputs/filled-inputs.ts'
import { BUILD_INPUTS } from '../../src/inputs/input-list.ts'
import { formatReference } from '../../src/registry/reference.ts'

function parse(given: Readonly<Record<string, string>>) {
  return parseBuildInputs((name) => given[name] ?? '')
}

test('has every input of docker/build-push-action', () => {
  const theirs = [
    ...['add-hosts', 'allow', 'annotations', 'attests', 'build-args', 'build-contexts', 'builder', 'cache-from'],
    ...['cache-to', 'call', 'cgroup-parent', 'context', 'file', 'labels', 'load', 'network', 'no-cache'],
    ...['no-cache-filters', 'outputs', 'platforms', 'provenance', 'pull', 'push', 'sbom', 'secrets', 'secret-envs'],
    ...['secret-files', 'shm-size', 'ssh', 'tags', 'target', 'ulimit', 'github-token'],
  ]
  const ours: readonly string[] = BUILD_INPUTS.map(({ name }) => name)
  expect(theirs.filter((name) => !ours.includes(name))).toEqual([])
})

describe('options that buildx gets as they are', () => {
  const { builderOptions } = parse({
    'add-hosts': 'db:10.0.0.1,cache:10.0.0.2',
    attests: 'type=sbom,generator=image\ntype=provenance,mode=min',
    'cgroup-parent': 'ci',
    network: 'none',
    'no-cache-filters': 'test\nlint',
    'shm-size': '2g',
    ssh: 'default\ndeploy=/keys/deploy',
    ulimit: 'nofile=1024:1024',
  })

  test('come to their flags', () => {
    expect(optionArgs(builderOptions).join(' ')).toBe(
      '--add-host db:10.0.0.1 --add-host cache:10.0.0.2 --cgroup-parent ci --network none --no-cache-filter test ' +
        '--no-cache-filter lint --shm-size 2g --ssh default --ssh deploy=/keys/deploy --ulimit nofile=1024:1024',
    )
  })

  test('leave out an attestation that has an input of its own', () => {
    const own = { provenance: 'mode=max', sbom: undefined }
    expect(attestArgs(builderOptions, own)).toEqual(['--attest', 'type=sbom,generator=image'])
  })

  test('decide the content as far as they reach the image, with ids in the place of keys', () => {
    const deciding = decidingOptions(builderOptions)?.join(' ') ?? ''
    expect(deciding).toContain('--add-host db:10.0.0.1')
    expect(deciding).toContain('--ssh deploy')
    expect(deciding).not.toMatch(/\/keys|cgroup|no-cache/)
    expect(decidingOptions(parse({ 'cgroup-parent': 'ci', 'no-cache-filters': 'a' }).builderOptions)).toBeUndefined()
  })

  test('have stages that are built anew built as they are written', () => {
    expect(parse({ 'no-cache-filters': 'test' }).optimizeLayers).toBe(false)
  })
})

describe('call', () => {
  test.each([
    ['', undefined],
    ['build', undefined],
    ['check', 'check'],
  ])('%p asks for %p', (text, called) => {
    expect(parse({ call: text }).call).toBe(called)
  })
})

describe('push by digest', () => {
  const names = (given: Readonly<Record<string, string>>) => {
    const { tags, push, outputs } = parse(given)
    return { tags: tags.map(formatReference), push, outputs }
  }
  const output = 'push-by-digest=true,name-canonical=true,push=true'

  test.each<[string, Readonly<Record<string, string>>]>([
    ['by our input', { push: 'by-digest', tags: 'ghcr.io/org/app:1,ghcr.io/org/app:2,localhost:5000/app' }],
    ['by names in the output', { outputs: `type=image,"name=ghcr.io/org/app,localhost:5000/app",${output}` }],
    ['by names in tags', { tags: 'ghcr.io/org/app\nlocalhost:5000/app', outputs: `type=image,${output}` }],
    [
      'by the registry output',
      { tags: 'ghcr.io/org/app', outputs: 'type=registry,name=localhost:5000/app,push-by-digest=true' },
    ],
  ])('%s names repositories', (_, given) => {
    expect(names(given)).toEqual({ tags: ['ghcr.io/org/app', 'localhost:5000/app'], push: true, outputs: [] })
  })

  test('with a field that only the builder understands is left to the builder', () => {
    const special = `type=image,name=ghcr.io/org/app,${output},unpack=true`
    expect(names({ outputs: special })).toEqual({ tags: [], push: false, outputs: [special] })
  })

  test('needs a name', () => {
    expect(() => parse({ push: 'by-digest' })).toThrow(ImageCacheError)
  })
})

describe('secrets', () => {
  test('without a value are none, as in a run for a fork', () => {
    expect(parse({ secrets: 'TOKEN=\nOTHER=x' }).secrets.map(({ id }) => id)).toEqual(['OTHER'])
  })

  test('do not hold an expression that nobody filled in', () => {
    expect(parse({ 'github-token': '$' + '{{ github.token }}' }).githubToken).toBeUndefined()
    expect(parse({ 'github-token': 'abc' }).githubToken).toBe('abc')
  })
})

describe('the default context', () => {
  const env = { GITHUB_REPOSITORY: 'org/app', GITHUB_SHA: 'c0ffee', GITHUB_REF: 'refs/heads/main' }
  const pull = { ...env, GITHUB_REF: 'refs/pull/7/merge', GITHUB_SERVER_URL: 'https://git.example' }

  test.each([
    [env, 'https://github.com/org/app.git#c0ffee'],
    [pull, 'https://git.example/org/app.git#refs/pull/7/merge'],
    [{ ...pull, DOCKER_DEFAULT_GIT_CONTEXT_PR_HEAD_REF: 'true' }, 'https://git.example/org/app.git#refs/pull/7/head'],
    [{}, undefined],
  ])('of %p is %p', (given, expected) => {
    expect(defaultContext(given)).toBe(expected)
  })

  test('stands in context and named contexts for {{defaultContext}}', () => {
    const read = fillInputs(
      (name) => ({ context: '{{defaultContext}}:sub', 'build-contexts': 'a={{ defaultContext }}' })[name] ?? '',
      env,
    )
    expect(read('context')).toBe('https://github.com/org/app.git#c0ffee:sub')
    expect(read('build-contexts')).toBe('a=https://github.com/org/app.git#c0ffee')
    expect(read('tags')).toBe('')
  })
})

test('a build argument without a value has that of the environment, or is left out', () => {
  const read = fillInputs((name) => (name === 'build-args' ? 'A=1\nTOKEN\nABSENT' : ''), { TOKEN: 'x=y' })
  expect(read('build-args')).toBe('A=1\nTOKEN=x=y')
})

describe('the provenance of a job', () => {
  const run = { runUrl: 'https://github.com/org/app/actions/runs/1', isPrivate: false }
  const build = { provenance: undefined, outputs: [] as readonly string[] }
  const by = `builder-id=${run.runUrl}`

  test.each([
    ['all in a public repository', build, {}, run, `mode=max,${by}`],
    ['the least in a private one', build, {}, { ...run, isPrivate: true }, `mode=min,inline-only=true,${by}`],
    ['the attempt beside the run', build, { GITHUB_RUN_ATTEMPT: '2' }, run, `mode=max,${by}/attempts/2`],
    ['nothing for an image that Docker loads', { ...build, outputs: ['type=docker'] }, {}, run, undefined],
    ['nothing where it is switched off', build, { BUILDX_NO_DEFAULT_ATTESTATIONS: '1' }, run, undefined],
    ['nothing outside GitHub', build, {}, { runUrl: undefined }, undefined],
    ['what is asked for, with the builder', { ...build, provenance: 'mode=min' }, {}, run, `mode=min,${by}`],
    ['the builder alone for true', { ...build, provenance: 'true' }, {}, run, by],
    ['nothing for false', { ...build, provenance: 'false' }, {}, run, 'false'],
    ['a builder of the user’s own', { ...build, provenance: 'builder-id=me' }, {}, run, 'builder-id=me'],
  ])('is %s', (_, given, env, facts, expected) => {
    expect(attestedProvenance(given, env, facts)).toBe(expected)
  })

  test('is left to an attestation of its own', () => {
    const { builderOptions } = parse({ attests: 'type=provenance,mode=min' })
    expect(attestedProvenance({ ...build, options: builderOptions }, {}, run)).toBeUndefined()
  })
})
