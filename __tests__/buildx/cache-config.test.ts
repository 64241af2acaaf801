import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { NO_DANGLING_RECORDS, parseCacheConfig, tidyCacheConfig } from '../../src/buildx/cache-config.ts'

const TIME = '2026-01-01T00:00:00Z'
const layers = [{ blob: 'sha256:l0', parent: -1 }, { blob: 'sha256:l1' }, { blob: 'sha256:l2', parent: 1 }]
const result = (layer: number) => ({ layer, createdAt: TIME })

test('records that lead to no result go, and links follow the records that stay', () => {
  const config = {
    layers,
    records: [
      { digest: 'dangling root' },
      { digest: 'base' },
      { layers: [result(0)], digest: 'group 1' },
      { digest: 'merge base + group 1', inputs: [[{ link: 1 }], [{ selector: '/layer', link: 2 }]] },
      { digest: 'merge + group 2', inputs: [[{ link: 3 }], [{ link: 5 }]] },
      { chains: [{ layers: [1, 2], createdAt: TIME }], digest: 'group 2', inputs: [[{ selector: 'sel', link: 6 }]] },
      { digest: 'source' },
    ],
  }
  expect(tidyCacheConfig(config)).toEqual({
    kind: 'tidied',
    dropped: 4,
    kept: 3,
    json: {
      layers,
      records: [
        { layers: [result(0)], digest: 'group 1' },
        { chains: [{ layers: [1, 2], createdAt: TIME }], digest: 'group 2', inputs: [[{ selector: 'sel', link: 2 }]] },
        { digest: 'source' },
      ],
    },
  })
})

test('a record without a result stays when a result is built on it, however far up', () => {
  const records = [
    { digest: 'a' },
    { digest: 'b', inputs: [[{ link: 0 }]] },
    { digest: 'c', inputs: [[{ link: 1 }]] },
    { layers: [result(0)], digest: 'd', inputs: [[{ link: 2 }, { link: 0 }]] },
  ]
  expect(tidyCacheConfig({ layers, records })).toEqual({ kind: 'unchanged', reason: NO_DANGLING_RECORDS })
})

describe('a config of an unknown form is left alone', () => {
  const record = { digest: 'a', layers: [result(0)] }
  test.each<[string, unknown, string]>([
    ['no JSON', undefined, 'no JSON object'],
    ['a list', [], 'no JSON object'],
    ['a new field', { layers, records: [], version: 2 }, 'unknown field "version"'],
    ['records of another kind', { layers, records: {} }, 'not both lists'],
    ['a new field in a layer', { layers: [{ blob: 'x', size: 1 }], records: [] }, 'layer 0'],
    ['a parent that is not there', { layers: [{ blob: 'x', parent: 5 }], records: [] }, 'layer 0'],
    ['a new field in a record', { layers, records: [{ ...record, weight: 1 }] }, 'record 0'],
    ['a new field in a result', { layers, records: [{ ...record, layers: [{ ...result(0), x: 1 }] }] }, 'record 0'],
    ['a new field in a chain', { layers, records: [{ ...record, chains: [{ layers: [0], x: 1 }] }] }, 'record 0'],
    [
      'a new field in an input',
      { layers, records: [record, { digest: 'b', inputs: [[{ link: 0, x: 1 }]] }] },
      'record 1',
    ],
    ['a link to no record', { layers, records: [record, { digest: 'b', inputs: [[{ link: 2 }]] }] }, 'record 1'],
    ['a link that is missing', { layers, records: [record, { digest: 'b', inputs: [[{}]] }] }, 'record 1'],
    ['an empty input', { layers, records: [record, { digest: 'b', inputs: [[]] }] }, 'record 1'],
    ['a result in no layer', { layers, records: [{ digest: 'a', layers: [result(3)] }] }, 'record 0'],
    ['a record without a digest', { layers, records: [{ layers: [result(0)] }] }, 'record 0'],
  ])('%s', (_, config, reason) => {
    expect(tidyCacheConfig(config)).toEqual({ kind: 'unchanged', reason: expect.stringContaining(reason) })
  })
})

// Any config whose records point to earlier ones; every record has a digest of its own to be known by.
const anyConfig = fc
  .array(
    fc.record({
      hasResult: fc.boolean(),
      inChain: fc.boolean(),
      inputs: fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    }),
    { maxLength: 25 },
  )
  .map((shapes) => ({
    layers,
    records: shapes.map(({ hasResult, inChain, inputs }, index) => ({
      ...(hasResult && !inChain ? { layers: [result(index % 3)] } : {}),
      ...(hasResult && inChain ? { chains: [{ layers: [index % 3], createdAt: TIME }] } : {}),
      digest: `record ${index}`,
      ...(index === 0 || inputs.length === 0
        ? {}
        : {
            inputs: inputs.map((choices) =>
              choices.map((choice) => ({ selector: `/${choice}`, link: choice % index })),
            ),
          }),
    })),
  }))

/** A record with its links followed to the digests they mean. */
function resolved(value: unknown) {
  const config = parseCacheConfig(value)
  if (typeof config === 'string') throw new Error(config)
  return config.records.map(({ digest, inputs, hasResult, json }) => ({
    digest,
    hasResult,
    results: [json.layers, json.chains],
    inputs: inputs.map((choices) =>
      choices.map(({ link, json: input }) => [config.records[link]?.digest, input.selector]),
    ),
  }))
}

const tidiedJson = (config: object) => {
  const tidied = tidyCacheConfig(config)
  return tidied.kind === 'tidied' ? tidied.json : config
}

describe('for any config', () => {
  test('what is kept is kept whole, in order, its inputs pointing to the same records', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const before = resolved(config)
        const kept = resolved(tidiedJson(config))
        const names = new Set(kept.map(({ digest }) => digest))
        expect(kept).toEqual(before.filter(({ digest }) => names.has(digest)))
      }),
    )
  })

  test('every record with a result is kept, and nothing that no result needs', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const before = resolved(config)
        const kept = resolved(tidiedJson(config))
        expect(kept.filter(({ hasResult }) => hasResult)).toHaveLength(
          before.filter(({ hasResult }) => hasResult).length,
        )
        const used = new Set(kept.flatMap(({ inputs }) => inputs.flat().map(([digest]) => digest)))
        expect(kept.every(({ digest, hasResult }) => hasResult || used.has(digest))).toBe(true)
      }),
    )
  })

  test('tidying a tidied one changes nothing', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        expect(tidyCacheConfig(tidiedJson(config))).toEqual({ kind: 'unchanged', reason: NO_DANGLING_RECORDS })
      }),
    )
  })

  test('layers stay as they are, byte for byte', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const tidied = tidyCacheConfig(config)
        if (tidied.kind === 'tidied') expect(JSON.stringify(tidied.json.layers)).toBe(JSON.stringify(layers))
      }),
    )
  })
})
