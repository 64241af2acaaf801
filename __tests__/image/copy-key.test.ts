import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { copiedEntries, copyKey } from '../../src/image/copy-key.ts'

function file(path: string, content = path, mode = '644'): readonly [string, string] {
  return [path, `f${mode} ${content}`]
}

/** As `hashContext` answers it. */
const context: ReadonlyMap<string, string> = new Map([
  ['app', 'd755 '],
  file('app/main.py'),
  file('app/conf/a.ini'),
  file('apple.py'),
  file('requirements.txt'),
])
const form = { compression: 'zstd', salt: '' }

function key(text: string, sources: readonly string[], entries = context): string {
  return copyKey({ text, sources, from: undefined }, entries, form)
}

describe('the files of a COPY', () => {
  test.each([
    [['app'], ['app', 'app/main.py', 'app/conf/a.ini']],
    [['app/'], ['app', 'app/main.py', 'app/conf/a.ini']],
    [['./app/conf'], ['app/conf/a.ini']],
    [['requirements.txt'], ['requirements.txt']],
    [['app/*.py'], ['app', 'app/main.py', 'app/conf/a.ini']],
    [['*.py'], [...context.keys()]],
    [['.'], [...context.keys()]],
    [['missing'], []],
    [
      ['apple.py', 'app/conf'],
      ['app/conf/a.ini', 'apple.py'],
    ],
  ])('%j are at least those that it names', (sources, expected) => {
    expect([...copiedEntries(sources, context).keys()]).toEqual(expected)
  })

  test('behind a link are all of the context', () => {
    const linked = new Map([...context, ['current', 'l777 app']])
    expect(copiedEntries(['current/conf'], linked)).toEqual(linked)
    expect(copiedEntries(['app'], linked).size).toBe(3)
  })
})

describe('the key of a COPY', () => {
  test('changes with content, mode, name and kind of a file that it names, and with nothing else', () => {
    const own = key('COPY app /app/', ['app'])
    const changed = (entry: readonly [string, string]) => new Map([...context, entry])
    expect(key('COPY app /app/', ['app'], changed(file('app/main.py', 'other')))).not.toBe(own)
    expect(key('COPY app /app/', ['app'], changed(file('app/main.py', 'app/main.py', '755')))).not.toBe(own)
    expect(key('COPY app /app/', ['app'], changed(file('app/new.py')))).not.toBe(own)
    expect(key('COPY app /app/', ['app'], changed(file('requirements.txt', 'other')))).toBe(own)
    expect(key('COPY app /srv/', ['app'])).not.toBe(own)
  })

  test('of another source is made of that source’s key', () => {
    const from = (name: string) => copyKey({ text: 'COPY', sources: ['x'], from: digestOf(name) }, context, form)
    expect(from('a')).not.toBe(from('b'))
    expect(copyKey({ text: 'COPY', sources: ['x'], from: digestOf('a') }, new Map(), form)).toBe(from('a'))
  })

  test('changes with compression and salt', () => {
    const keys = [form, { ...form, compression: 'gzip' }, { ...form, salt: 'x' }].map((one) =>
      copyKey({ text: 'COPY app /', sources: ['app'], from: undefined }, context, one),
    )
    expect(new Set(keys).size).toBe(3)
  })
})
