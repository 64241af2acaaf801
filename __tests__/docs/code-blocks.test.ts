import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseSync } from '@swc/core'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { codeBlocks, documents, ROOT, readText } from './documents.ts'

const CLI = join(ROOT, 'dist/cli/index.js')

/** What it takes for a block of a language to be right. */
const CHECKS: Readonly<Record<string, (code: string) => unknown>> = {
  sh: (code) => expect(parseShell(code)).toEqual({ status: 0, said: '' }),
  json: (code) => JSON.parse(code),
  ts: (code) => parseSync(code, { syntax: 'typescript' }),
  dockerfile: (code) => parseDockerfile(code, 'Dockerfile'),
}
/** Languages that no program reads, or that have tests of their own. */
const OTHERS: ReadonlySet<string> = new Set(['diff', 'hcl', 'mermaid', 'text', 'yaml'])

describe.each(Object.entries(CHECKS))('code in the docs in the language "%s"', (language, check) => {
  const blocks = codeBlocks(language).map(({ path, code }) => [path, code] as const)
  test('is there', () => expect(blocks.length).toBeGreaterThan(0))
  for (const [path, code] of blocks) test(`of ${path} can be read: ${code.split('\n', 1)[0]}`, () => void check(code))
})

test('no block is in a language that nobody checks', () => {
  const used = documents().flatMap(({ text }) =>
    [...text.matchAll(/^```(\w+)\n/gm)].map(([, language = '']) => language),
  )
  expect([...new Set(used)].filter((language) => !(language in CHECKS || OTHERS.has(language)))).toEqual([])
})

describe('commands in the docs', () => {
  const help = new Map<string, string>()
  const scripts: Readonly<Record<string, string>> = JSON.parse(readText('package.json')).scripts
  const lines = codeBlocks('sh').flatMap(({ path, code }) =>
    code
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => [path, line.trim()] as const),
  )

  test.each(lines.filter(([, line]) => line.startsWith('image-cache ')))('of %s are ours: %s', (_, line) => {
    const [words = ''] = line.split(/\s+#| -- /)
    const [, command = '', second = ''] = words.split(/\s+/)
    const name = ['cache', 'tasks'].includes(command) ? [command, second] : [command]
    const text = help.get(name.join(' ')) ?? helpOf(name)
    help.set(name.join(' '), text)
    const options = [...words.matchAll(/\s(--[a-z][\w-]*)/g)].map(([, option = '']) => option)
    expect(options.filter((option) => !text.includes(`${option} `) && !text.includes(`${option}\n`))).toEqual([])
  })

  test('are all in the page of the command line', () => {
    const names = [...helpOf([]).matchAll(/^ {2}([a-z]+) /gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help')
    const page = readText('docs/command-line.md')
    expect(names.length).toBeGreaterThan(10)
    expect(names.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([])
  })

  test.each(lines.filter(([, line]) => /^npm (run|test)/.test(line)))('of %s are scripts: %s', (_, line) => {
    const [, verb = '', name = ''] = /^npm (\w+) ?([\w:-]*)/.exec(line) ?? []
    expect(Object.keys(scripts)).toContain(verb === 'run' ? name : verb)
  })
})

function parseShell(code: string): { readonly status: number | null; readonly said: string } {
  const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' })
  return { status, said: stderr }
}

function helpOf(command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...command, '--help'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`image-cache ${command.join(' ')} --help: ${stderr}`)
  return `${stdout}\n`
}
