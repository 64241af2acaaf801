import { expect, test } from '@jest/globals'
import { TerminalHost, type TerminalHostOptions, terminalContext } from '../../src/host/terminal-host.ts'

/** A stream that remembers. */
class Sink {
  text = ''
  readonly isTTY: boolean

  constructor(isTTY = false) {
    this.isTTY = isTTY
  }

  write(text: string): void {
    this.text += text
  }
}

function hostOn(messages: Sink, options: Partial<TerminalHostOptions> = {}): TerminalHost {
  return new TerminalHost({ messages, ...options })
}

test('messages are lines, with the place of what they are about', () => {
  const sink = new Sink()
  const host = hostOn(sink)
  host.info('building')
  host.warning('slow', { title: 'not shown', file: 'Dockerfile', line: 3 })
  host.error('broken', { file: 'Dockerfile' })
  host.group('Layers', ['one', 'two'])
  host.debug('not asked for')
  expect(sink.text).toBe('building\nwarning: Dockerfile:3: slow\nerror: Dockerfile: broken\nLayers\n  one\n  two\n')
})

test('debug lines are shown when asked for', () => {
  const sink = new Sink()
  hostOn(sink, { debug: true }).debug('detail')
  expect(sink.text).toBe('detail\n')
})

test('outputs are collected, inputs trimmed', () => {
  const host = hostOn(new Sink(), { inputs: new Map([['tags', ' a\nb \n']]) })
  host.output('digest', 'one')
  host.output('image', 'two')
  host.output('digest', 'three')
  expect([...host.outputs()]).toEqual([
    ['digest', 'three'],
    ['image', 'two'],
  ])
  expect([host.input('tags'), host.input('file')]).toEqual(['a\nb', ''])
})

test('secrets are masked in every message, also those of several lines and those in addresses', () => {
  const sink = new Sink()
  const host = hostOn(sink, { debug: true })
  host.addSecret('first-line\nsecond-line')
  host.addSecret('')
  host.info('first-line and second-line')
  host.warning('at https://me:word@index.example/simple')
  host.error('second-line')
  host.debug('second-line')
  host.group('second-line', ['first-line'])
  expect(sink.text).toBe('*** and ***\nwarning: at https://***@index.example/simple\nerror: ***\n***\n***\n  ***\n')
})

test.each([
  ['a terminal', true, {}, true],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['a terminal with an empty NO_COLOR, which means nothing', true, { NO_COLOR: '' }, true],
  ['a pipe', false, {}, false],
  ['a pipe with FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
  ['a terminal with both', true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
])('%s gets colours: %s %j %s', (_, isTTY, env, colours) => {
  const sink = new Sink(isTTY)
  hostOn(sink, { env }).error('\u001b[32mchild output')
  expect(sink.text.includes('\u001b[31merror:')).toBe(colours)
  expect(sink.text.includes('\u001b')).toBe(colours)
})

test('a laptop has no summary and no state', async () => {
  const sink = new Sink()
  const host = hostOn(sink)
  await host.summary()
  host.saveState()
  expect([host.state(), sink.text]).toEqual(['', ''])
})

test('a laptop knows its workspace, and a temporary folder for each run', () => {
  const context = terminalContext('/project')
  expect(context).toMatchObject({ repository: undefined, ref: undefined, workspace: '/project' })
  expect(terminalContext('/project').tempDir).not.toBe(context.tempDir)
})
