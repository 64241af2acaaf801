import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { type BuildSettings, readSettings } from '../../src/inputs/build-settings.ts'

const parse = (settings: BuildSettings) => parseBuildInputs(readSettings(settings))

test('settings are read as the inputs of the action', () => {
  const inputs = parse({
    context: 'service',
    tags: ['ghcr.io/org/app:1', 'ghcr.io/org/app:latest'],
    push: true,
    'max-layers': 4,
    'build-args': { VERSION: '1', EMPTY: '' },
    labels: ['team=ml'],
    load: undefined,
  })
  const given: Readonly<Record<string, string>> = {
    context: 'service',
    tags: 'ghcr.io/org/app:1,ghcr.io/org/app:latest',
    push: 'true',
    'max-layers': '4',
    'build-args': 'VERSION=1\nEMPTY=',
    labels: 'team=ml',
  }
  expect(inputs).toEqual(parseBuildInputs((name) => given[name] ?? ''))
})

test('nothing given is what the action does without inputs', () => {
  expect(parse({})).toEqual(parseBuildInputs(() => ''))
})

test('names that are no inputs are told together', () => {
  const wrong: object = { buildArgs: {}, tag: 'x', tags: 'org/app:1' }
  expect(() => readSettings({ ...wrong })).toThrow('buildArgs: there is no such input; tag: there is no such input')
})

test('mistakes of values are told together, with the value', () => {
  expect(() => parse({ push: 'maybe', compression: 'brotli' })).toThrow(/"maybe".*"brotli"/)
})

test('a secret comes through as it is, of several lines, too', () => {
  const line = fc.string({ unit: fc.constantFrom('a', '"', '=', ' ', '#', ',') })
  const secret = fc.tuple(line, line).map((lines) => `-${lines.join('\n')}-`)
  fc.assert(
    fc.property(secret, (value) => {
      const [read] = parse({ secrets: { TOKEN: value } }).secrets
      expect(read).toEqual({ id: 'TOKEN', from: { kind: 'value', value } })
    }),
  )
})
