import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
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
