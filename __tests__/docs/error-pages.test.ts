import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT, readText } from './documents.ts'

const codes = [...readText('src/base/errors.ts').matchAll(/^ {2}\| '(E_[A-Z_]+)'$/gm)].flatMap(([, code]) => code ?? [])
const pages = readdirSync(join(ROOT, 'docs/errors')).filter((page) => page !== 'README.md')

test('every error code has its page, and every page its code', () => {
  expect(codes.length).toBeGreaterThan(5)
  expect([...pages].sort()).toEqual(codes.map((code) => `${code}.md`).sort())
})

test('the index says of every code what its page begins with', () => {
  const index = readText('docs/errors/README.md')
  for (const code of codes) {
    const [, title = ''] = /^# \w+: (.*)$/m.exec(readText(`docs/errors/${code}.md`)) ?? []
    expect(index).toContain(`| [${code}](${code}.md) | ${title} |`)
  }
})

describe.each(codes)('the page of %s', (code) => {
  const text = readText(`docs/errors/${code}.md`)

  test('begins with the code', () => {
    expect(text.startsWith(`# ${code}: `)).toBe(true)
  })

  test('says what happened, what causes it and what to do', () => {
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(['What happened', 'Common causes', 'What to do'])
  })
})
