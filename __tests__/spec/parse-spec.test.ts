import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { image } from '../../src/spec/image-builder.ts'
import { imageSpecSchema } from '../../src/spec/image-spec.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import { scriptPackages } from '../../src/spec/script-packages.ts'

describe('parseSpec', () => {
  test('reads YAML, JSON and the table of a pyproject.toml alike', async () => {
    const expected = { python: '3.12', layers: [{ pip: ['six'] }], 'optimize-layers': false }
    const yaml = 'python: "3.12"\nlayers:\n  - pip: [six]\noptimize-layers: false\n'
    const toml = '[tool.image-cache]\npython = "3.12"\nlayers = [{ pip = ["six"] }]\noptimize-layers = false\n'
    expect(await parseSpec(yaml, 'image.yml')).toEqual(expected)
    expect(await parseSpec(JSON.stringify(expected), 'spec')).toEqual(expected)
    expect(await parseSpec(toml, 'pyproject.toml')).toEqual(expected)
  })

  test.each([
    ['neither base nor Python', 'layers: []', ['spec: base: is missing, and so is python: one of them must be there']],
    [
      'a version that YAML takes for a number',
      'python: 3.10\nlayers: []',
      ['spec: python: expected string, received number'],
    ],
    ['no layers', 'python: "3.12"', ['spec: layers: expected array, received undefined']],
    [
      'all mistakes at once',
      'python: "3.12"\nlayers: [{pip: six}, {foo: 1}, {pip: [a], indx: b}, {run: "a\\nb"}, {copy: a}]\nusr: x',
      [
        'spec: layers[0].pip: expected array, received string',
        'spec: layers[1]: is none of apt, pip, requirements, wheels, project, script, run, copy, env',
        'spec: layers[2]: Unrecognized key: "indx"',
        'spec: layers[3].run: is more than one line',
        'spec: layers[4].to: expected string, received undefined',
        'spec: spec: Unrecognized key: "usr"',
      ],
    ],
    [
      'a step that would begin another instruction',
      'python: "3.12"\nlayers: [{pip: ["a\\nUSER x"]}]',
      [/layers\[0\]\.pip\[0\]: is more than one line/],
    ],
    ['an alias, of which few lines make millions', 'python: &a "3.12"\nbase: *a\nlayers: []', [/can't be read/]],
    ['no YAML', '[', [/^spec: can't be read: /]],
  ])('refuses %s', async (_, text, mistakes) => {
    const error = await parseSpec(text, 'spec').catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'E_INPUT', hint: expect.stringContaining('docs/spec.md') })
    const lines = error instanceof Error ? error.message.split('\n') : []
    expect(lines).toEqual(mistakes.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))))
  })

  test('refuses a pyproject.toml without the table', async () => {
    await expect(parseSpec('[tool.other]\na = 1\n', 'pyproject.toml')).rejects.toThrow(
      'has no table [tool.image-cache]',
    )
  })
})

describe('the packages of a script', () => {
  const block =
    '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#   "six",\n#   "idna<4",\n# ]\n# ///\n'

  test('stand in its block, wherever that is', async () => {
    const script = `#!/usr/bin/env python\n# dependencies = ["other"]\n${block}import six\n`
    expect(await scriptPackages(script, 'a.py')).toEqual(['six', 'idna<4'])
    expect(await scriptPackages(script.replaceAll('\n', '\r\n'), 'a.py')).toEqual(['six', 'idna<4'])
    expect(await scriptPackages('# /// script\n# requires-python = ">=3.11"\n# ///\n', 'a.py')).toEqual([])
  })

  test.each([
    ['no block', 'import six\n', 'has no block'],
    ['two blocks', `${block}\n${block}`, 'has several blocks'],
    ['a block that is no TOML', '# /// script\n# a = \n# ///\n', 'is no TOML'],
    ['packages that are no texts', '# /// script\n# dependencies = [1]\n# ///\n', 'is no list of texts'],
  ])('are refused: %s', async (_, script, reason) => {
    await expect(scriptPackages(script, 'a.py')).rejects.toThrow(reason)
  })
})

describe('the builder of the library', () => {
  test('makes what a file says, and leaves the images that it began with alone', async () => {
    const base = image({ python: '3.12' }).apt('libgomp1').requirements('requirements.txt', { pre: true })
    const service = base
      .pip(['torch'], { extraIndexes: ['https://index.example/cpu'], secrets: ['token'] })
      .copy('src/', './src/')
      .workdir('/srv')
      .command('python', '-m', 'src')
    const quick = service.optimizeLayers(false)
    expect(base.spec.layers).toHaveLength(2)
    expect([service.spec['optimize-layers'], quick.spec['optimize-layers']]).toEqual([undefined, false])
    expect(await parseSpec(service.toString(), 'spec')).toEqual({
      python: '3.12',
      workdir: '/srv',
      command: ['python', '-m', 'src'],
      layers: [
        { apt: ['libgomp1'] },
        { requirements: 'requirements.txt', pre: true },
        { pip: ['torch'], 'extra-indexes': ['https://index.example/cpu'], secrets: ['token'] },
        { copy: 'src/', to: './src/' },
      ],
    })
  })

  test('refuses what a file may not say', () => {
    expect(() => image({})).toThrow('base: is missing')
    expect(() => image({ python: '3.12' }).run('a\nb')).toThrow('layers[0].run: is more than one line')
  })
})

test('the schema for editors is that of the code: npm run describe writes it', async () => {
  const file = await readFile(join(import.meta.dirname, '../../schema/image-spec.schema.json'), 'utf8')
  expect(JSON.parse(file)).toEqual(imageSpecSchema())
})
