import { expect, test } from '@jest/globals'
import { parseBakeInputs } from '../../src/inputs/bake-inputs.ts'

function parse(given: Readonly<Record<string, string>>) {
  return parseBakeInputs((name) => given[name] ?? '')
}

test('what buildx is to print is said in its own options', () => {
  const { args } = parse({
    ...{ files: 'a.hcl, b.json', targets: 'api,worker', set: '*.args.A=1,2\napi.tags=x', vars: 'TAG=v1\nB=x=y' },
    ...{ push: 'true', load: 'false', pull: 'true', sbom: 'true' },
  })
  expect(args).toEqual([
    ...['--file', 'a.hcl', '--file', 'b.json', '--set', '*.args.A=1,2', '--set', 'api.tags=x'],
    ...['--var', 'TAG=v1', '--var', 'B=x=y', '--push', '--pull', '--sbom', 'true', 'api', 'worker'],
  ])
})

test('inputs for every target are handed on, and those of one target are not', () => {
  const { shared, source } = parse({ salt: 'a', 'max-layers': '4', push: 'true', source: 'app' })
  expect([shared('salt'), shared('max-layers'), shared('push'), shared('tags'), source]).toEqual([
    'a',
    '4',
    '',
    '',
    'app',
  ])
})

test('mistakes are reported together', () => {
  expect(() => parse({ targets: '--print', vars: 'x', push: 'maybe', source: '{{defaultContext}}' })).toThrow(
    /push: "maybe" .*targets: "--print" is not the name of a target.*vars: "x" is not NAME=VALUE.*source: "\{\{defaultContext\}\}" is no folder/,
  )
})
