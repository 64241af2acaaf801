import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT, readText, tableRows } from './documents.ts'

describe('docs/layers.md', () => {
  test('has a row for each code of a step that stays, and no other', () => {
    const [, union = ''] =
      /export type RefusalCode =\n((?: {2}\| '[a-z-]+'\n)+)/.exec(readText('src/dockerfile/dockerfile.ts')) ?? []
    const codes = [...union.matchAll(/'([a-z-]+)'/g)].flatMap(([, code]) => code ?? [])
    expect(codes.length).toBeGreaterThan(10)
    const [, section = ''] = readText('docs/layers.md').split('## Steps that stay')
    expect([...tableRows(section).keys()].sort()).toEqual([...codes].sort())
  })
})

describe('docs/architecture.md', () => {
  const text = readText('docs/architecture.md')
  const [, rooms = '', imports = ''] = text.split(/^## (?:Rooms|Who may import whom)$/m)
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)

  test('says what each room is for', () => {
    expect([...tableRows(rooms).keys()].sort()).toEqual([...folders].sort())
  })

  test('has the import rule of the architecture test', () => {
    const rule = readText('__tests__/architecture.test.ts')
    // Rooms whose list stands on one line; flow, top, cli and entry are put in words.
    const listed = [...rule.matchAll(/^ {2}'?([a-z-]+)'?: \[(.*)\],$/gm)]
      .map(([, room = '', list = '']) => [room, [...list.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)] as const)
      .filter(([room]) => !['cli', 'entry'].includes(room))
    expect(listed.length).toBeGreaterThan(10)
    const rows = tableRows(imports)
    for (const [room, allowed] of listed) {
      const cell = rows.get(room)?.[0] ?? 'no row'
      const written = [...cell.matchAll(/`([a-z-]+)`( \(types\))?/g)].map(
        ([, name, types]) => `${name}${types === undefined ? '' : ':types'}`,
      )
      expect({ room, written: written.sort() }).toEqual({ room, written: [...allowed].sort() })
    }
  })
})

describe('the installer image', () => {
  test('has the uv of the services that the tests run on', () => {
    const [, uv] = /uvVersion = '([^']+)'/.exec(readText('tools/services/debian-rootfs.ts')) ?? []
    expect(readText('action.yml')).toContain(`ghcr.io/astral-sh/uv:${uv}-python{python}`)
  })
})
