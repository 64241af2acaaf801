import { describe, expect, test } from '@jest/globals'
import type { BuildPlan } from '../../src/buildx/build-args.ts'
import { parseCacheOption } from '../../src/buildx/cache-option.ts'
import { publishSteps } from '../../src/buildx/publish-steps.ts'
import { namedPush, unpushed, withNames } from '../../src/buildx/push-names.ts'

function caches(...texts: readonly string[]): BuildPlan['cacheTo'] {
  return texts.map((text) => parseCacheOption(text)).filter((option) => typeof option !== 'string')
}

const PUSH = 'type=image,push=true,oci-mediatypes=true,compression=zstd'
const plan: BuildPlan = {
  builder: undefined,
  context: '.',
  dockerfile: 'Dockerfile',
  target: 'app',
  platforms: ['linux/amd64'],
  buildArgs: new Map([['A', 'b']]),
  buildContexts: new Map(),
  labels: new Map(),
  annotations: ['index:a=b'],
  secrets: ['id=s,src=/s'],
  tags: ['r.example/app:1', 'r.example/app:2', 'r.example/other:1', 's.example/app:1'],
  outputs: [PUSH],
  cacheFrom: caches('r.example/app:cache'),
  cacheTo: caches('type=inline', 'type=registry,ref=r.example/app:cache'),
  allow: ['network.host'],
  provenance: 'mode=max',
  sbom: 'true',
  noCache: true,
  pull: true,
  metadataFile: '/tmp/metadata.json',
}

describe('a publish plan comes to', () => {
  test.each(['parallel', 'sequential', 'push-only', 'no-push'] as const)('one call as it is: %s', (mode) => {
    expect(publishSteps(plan, mode)).toEqual({ order: 'one-call', image: plan })
  })

  test('one call where nothing but an inline cache is exported', () => {
    const inline = { ...plan, cacheTo: caches('type=inline') }
    expect(publishSteps(inline, 'two-clients')).toEqual({ order: 'one-call', image: inline })
  })

  test.each([
    ['two-clients', 'together'],
    ['post', 'post'],
  ] as const)('%s: two calls that are alike but for what they make', (mode, order) => {
    const steps = publishSteps(plan, mode)
    if (steps.order === 'one-call') throw new Error('one call')
    expect(steps.order).toBe(order)
    expect(steps.image).toEqual({ ...plan, cacheTo: caches('type=inline') })
    expect(steps.cache).toEqual({
      ...plan,
      tags: [],
      annotations: [],
      outputs: [PUSH.replace('push=true', 'push=false')],
      cacheTo: caches('type=registry,ref=r.example/app:cache'),
      provenance: 'false',
      sbom: undefined,
      metadataFile: '/tmp/metadata.json.cache',
    })
  })

  test('image-first: a second call that does nothing anew', () => {
    const steps = publishSteps(plan, 'image-first')
    if (steps.order === 'one-call') throw new Error('one call')
    expect([steps.order, steps.cache.noCache, steps.cache.pull]).toEqual(['after', false, false])
    expect(steps.cache.outputs).toEqual(['type=cacheonly'])
    expect([steps.image.noCache, steps.image.pull]).toEqual([true, true])
  })
})

test.each([
  [`${PUSH},name=a/b:1`, PUSH],
  [`${PUSH},"name=a/b:1,c/d:1"`, PUSH],
  [`${PUSH},"containerimage.config={""a"":1}",name=a/b:1`, `${PUSH},"containerimage.config={""a"":1}"`],
])('an image is kept without its names: %s', (output, expected) => {
  expect(unpushed(output)).toBe(expected.replace('push=true', 'push=false'))
})

describe('names are pushed', () => {
  test('one for each registry in one output, so that all have one digest; the others are put', () => {
    const named = namedPush(plan)
    expect(named.first).toEqual(['r.example/app:1', 's.example/app:1'])
    expect(named.later).toEqual(['r.example/app:2', 'r.example/other:1'])
    expect(named.plan.tags).toEqual([])
    expect(named.plan.outputs).toEqual([`${PUSH},"name=r.example/app:1,s.example/app:1"`])
  })

  test('to several registries at once where there are no attestations', () => {
    const { outputs } = namedPush({ ...plan, provenance: 'false', sbom: undefined }).plan
    expect(outputs).toEqual([`${PUSH},name=r.example/app:1`, `${PUSH},name=s.example/app:1`])
  })

  test.each([
    ['a build that is loaded, too', [PUSH, 'type=docker']],
    ['a build with an output of the user’s', ['type=oci,dest=out.tar']],
    ['an output with a name of its own', [`${PUSH},name=r.example/own:1`]],
  ])('all by the builder: %s', (_, outputs) => {
    const other = { ...plan, outputs }
    expect(namedPush(other)).toEqual({ plan: other, first: plan.tags, later: [] })
  })

  test('in the place of other names', () => {
    expect(withNames(`${PUSH},name=a/b:1`, ['a/b:2'])).toBe(`${PUSH},name=a/b:2`)
    expect(withNames(`${PUSH},"name=a/b:1,c/d:1"`, ['a/b:2', 'a/b:3'])).toBe(`${PUSH},"name=a/b:2,a/b:3"`)
    const config = ',"containerimage.config={""a"":1}"'
    expect(withNames(`${PUSH}${config},name=a/b:1`, ['a/b:2'])).toBe(`${PUSH}${config},name=a/b:2`)
  })
})
