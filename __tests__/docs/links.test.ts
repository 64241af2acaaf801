import { existsSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type Document, documents, ROOT, readText } from './documents.ts'

describe.each(documents().map((document) => [document.path, document] as const))('%s', (_, document) => {
  test('links to files and headings that are there', () => {
    expect(linksOf(document).filter((link) => !isThere(document, link))).toEqual([])
  })

  test('names no path of a machine', () => {
    expect(/(?<![\w.~/-])\/(?:work|home|Users|root)\/(?!\.)\w+/.exec(document.text)?.[0]).toBeUndefined()
  })
})

test('every page is reached by links from the README', () => {
  const all = new Map(documents().map((document) => [document.path, document]))
  const reached = new Set<string>()
  const follow = (path: string): void => {
    const document = all.get(path)
    if (document === undefined || reached.has(path)) return
    reached.add(path)
    for (const link of linksOf(document)) {
      const target = normalize(join(dirname(path), link.split('#')[0] || basename(path)))
      follow(target)
      // GitHub shows a folder's own page.
      follow(`${target.replace(/\/$/, '')}/README.md`)
    }
  }
  follow('README.md')
  const pages = [...all.keys()].filter((path) => !path.startsWith('.github/'))
  expect(pages.filter((path) => !reached.has(path))).toEqual([])
})

function linksOf({ text }: Document): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => (/^https?:/.test(link) ? [] : [link]))
}

function isThere({ path, text }: Document, link: string): boolean {
  const [file = '', heading] = link.split('#')
  const target = file === '' ? path : normalize(join(dirname(path), file))
  if (!existsSync(join(ROOT, target))) return false
  if (heading === undefined) return true
  return headingsOf(file === '' ? text : readText(target)).includes(heading)
}

/** Headings as GitHub makes addresses of them. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}
