import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { LockPins, LockSelection } from '../../src/python/lock-pins.ts'
import { type LockTool, readToolLock } from '../../src/python/tool-lock.ts'

const FILES = {
  poetry: ['poetry.lock', 'pyproject.toml'],
  pdm: ['pdm.lock', 'pyproject.toml'],
  pipenv: ['Pipfile.lock', 'Pipfile'],
} as const
const ALL: LockSelection = { with: [], without: [], only: undefined, extras: [] }

interface Question {
  readonly selection?: Partial<LockSelection>
  readonly python?: string
  readonly platform?: string
  readonly isChecked?: boolean
  /** Changes the texts. */
  readonly edit?: (text: string) => string
}

function read(tool: LockTool, folder: string, question: Question = {}): LockPins {
  const { python = '3.12.4', platform = 'linux/amd64', isChecked = true, edit = (text) => text } = question
  const [lock, project] = FILES[tool].map((name) =>
    edit(readFileSync(join(import.meta.dirname, '../fixtures/locks', folder, name), 'utf8')),
  )
  const texts = { lock: lock ?? '', project: project ?? '', isChecked }
  return readToolLock(tool, texts, { ...ALL, ...question.selection }, { pythonVersion: python, platform })
}

function names(pins: LockPins): string {
  return pins.kind === 'pins' ? pins.pins.map(({ text }) => text.replace('==', ' ')).join(', ') : pins.reason
}

const REQUESTS = 'pysocks 1.7.1, requests 2.32.4'
const WEB = `certifi 2026.10.18, charset-normalizer 3.5.2, click 8.1.8, idna 3.20, ${REQUESTS}, six 1.17.0, urllib3 2.8.0`

describe('poetry.lock', () => {
  test.each([
    ['2.1', {}, WEB.replace('idna 3.20', 'idna 3.11, iniconfig 2.3.1')],
    ['2.1', { selection: { only: ['main'] } }, WEB.replace('3.20', '3.11')],
    [
      '2.1',
      { selection: { without: ['dev'] }, python: '3.10.2' },
      WEB.replace('3.20', '3.11').replace('urllib3', 'tomli 2.5.0, urllib3'),
    ],
    ['2.1', { selection: { only: ['docs'] } }, 'markupsafe 3.0.4'],
    ['2.1', { selection: { only: ['dev'], with: ['docs'] } }, 'idna 3.11, iniconfig 2.3.1'],
    [
      '2.1',
      { selection: { only: ['main'], extras: ['Color'] } },
      WEB.replace('3.20', '3.11').replace('pysocks', 'pygments 2.19.2, pysocks'),
    ],
    [
      '2.1',
      { selection: { extras: 'all', only: ['main'] } },
      WEB.replace('3.20', '3.11').replace('pysocks', 'numpy 2.2.6, pygments 2.19.2, pysocks'),
    ],
    ['2.0', {}, WEB.replace('pysocks', 'iniconfig 2.3.1, pysocks')],
    ['2.0', { selection: { without: ['dev'] } }, WEB],
    ['2.0', { selection: { without: ['dev'] }, platform: 'linux/arm64' }, WEB],
    ['2.0', { selection: { only: ['main'] }, python: '3.10.2' }, WEB.replace('urllib3', 'tomli 2.5.0, urllib3')],
    [
      '2.0',
      { selection: { only: ['main'], extras: ['speed'] }, python: '3.10.2' },
      WEB.replace('pysocks', 'numpy 2.2.6, pysocks').replace('urllib3', 'tomli 2.5.0, urllib3'),
    ],
    ['2.0', { selection: { only: ['main'], extras: ['speed'] } }, WEB.replace('pysocks', 'numpy 2.3.5, pysocks')],
    ['2.0', { selection: { only: ['docs'] } }, 'markupsafe 3.0.4'],
    [
      '1.1',
      { selection: { only: ['main'], extras: 'all' } },
      WEB.replace('pysocks', 'numpy 2.3.5, pygments 2.19.2, pysocks'),
    ],
    ['2.1', { selection: { with: ['nobody'] } }, 'the project has no group nobody'],
    [
      '2.1',
      { edit: (text: string) => text.replace('package-mode = false', 'package-mode = false\nrequires-plugins = {}') },
      'the project asks for plugins of poetry, which may change what is installed',
    ],
    ['2.0', { selection: { extras: ['nobody'] } }, 'the project has no extra nobody'],
    ['2.0', { python: '3.9.1' }, 'poetry.lock is for Python ^3.10, the image has 3.9.1'],
    [
      '2.1',
      { edit: (text: string) => text.replace('8.1,<8.2', '8,<8.2') },
      'poetry.lock does not fit pyproject.toml: poetry would ask for a new one',
    ],
    [
      '2.1',
      { edit: (text: string) => text.replace('"2.1"', '"3.0"') },
      'poetry.lock has the format "3.0"; 1.1, 2.0 and 2.1 are read',
    ],
    ['2.1', { edit: (text: string) => `[[${text}` }, 'poetry.lock or pyproject.toml is no TOML'],
    [
      '2.1',
      { edit: (text: string) => text.replaceAll('sha256:', 'md5:') },
      'certifi==2026.10.18 has no sha256 in the lock, so that its wheel can’t be verified'.replace('’', "'"),
    ],
    [
      '2.1',
      {
        selection: { only: ['docs'] },
        edit: (text: string) =>
          text.replace('groups = ["docs"]', 'groups = ["docs"]\nmarkers = "platform_release > \\"5\\""'),
      },
      'the marker of markupsafe in poetry.lock can\'t be told beforehand: "platform_release > \\"5\\""',
    ],
  ] satisfies readonly (readonly [string, Question, string])[])('%s, %j', (format, question, expected) => {
    expect(names(read('poetry', `poetry-${format}`, question))).toBe(expected)
  })

  test('has the hashes of all files and the index of its source', () => {
    const pins = read('poetry', 'poetry-1.1', { selection: { only: ['docs'] } })
    const { pins: [pin] = [], indexes } = pins.kind === 'pins' ? pins : { indexes: [] }
    expect(pin?.hashes.length).toBeGreaterThan(2)
    expect(indexes).toEqual(['https://index.example/simple'])
    const own = read('poetry', 'poetry-2.1', { edit: (text) => text.replace(/\[package\.source\][^[]*/, '\n') })
    expect(own).toMatchObject({ indexes: ['https://index.example/simple', undefined] })
  })

  test('has one marker for each group, where they differ', () => {
    const edit = (text: string): string =>
      text.replace(
        'groups = ["main", "dev"]',
        'groups = ["main", "dev"]\nmarkers = {main = "python_version < \\"3\\"", dev = "sys_platform == \\"linux\\""}',
      )
    expect(names(read('poetry', 'poetry-2.1', { edit, selection: { only: ['main'] } }))).not.toMatch(/idna/)
    expect(names(read('poetry', 'poetry-2.1', { edit, selection: { only: ['dev'] } }))).toMatch(/idna 3\.11/)
  })

  test('tells what is no wheel of an index', () => {
    const edit = (text: string): string =>
      text.replace(
        /\[package\.source\]\ntype = "legacy"\nurl = "[^"]*"/,
        '[package.source]\ntype = "directory"\nurl = "../own"',
      )
    expect(read('poetry', 'poetry-2.1', { edit })).toMatchObject({
      unbuilt: [
        {
          name: 'certifi',
          folder: '../own',
          reason: 'certifi comes from a local folder, not as a wheel from an index',
        },
      ],
    })
  })
})

describe('pdm.lock', () => {
  test.each([
    [{}, `iniconfig 2.3.1, ${REQUESTS}`],
    [{ selection: { without: ['dev'] } }, REQUESTS],
    [{ selection: { without: ['dev'], with: ['color'] } }, `pygments 2.19.2, ${REQUESTS}`],
    [{ selection: { without: ['dev'] }, python: '3.10.1', platform: 'linux/arm64' }, `${REQUESTS}, tomli 2.5.0`],
    [
      { edit: (text: string) => text.replace('"inherit_metadata"', '') },
      'pdm.lock does not note the groups of its packages (strategy inherit_metadata)',
    ],
    [{ edit: (text: string) => text.replace('4.5.0', '4.3') }, 'pdm.lock has the format "4.3"; 4.4 and newer are read'],
  ] satisfies readonly (readonly [Question, string])[])('%j', (question, expected) => {
    expect(names(read('pdm', 'pdm-4.5', question))).toBe(expected)
  })

  test('takes its packages from all indexes of the project', () => {
    expect(read('pdm', 'pdm-4.5')).toMatchObject({ indexes: [undefined, 'https://index.example/own/simple'] })
  })
})

describe('Pipfile.lock', () => {
  const USUAL = `certifi 2026.10.18, charset-normalizer 3.5.2, idna 3.20, numpy 2.2.6, ${REQUESTS}, six 1.17.0, urllib3 2.8.0`
  test.each([
    [{}, USUAL],
    [{ platform: 'linux/arm64' }, USUAL.replace('numpy 2.2.6, ', '')],
    [{ selection: { with: ['develop'] } }, USUAL.replace('numpy', 'iniconfig 2.3.1, numpy')],
    [{ selection: { with: ['docs'] } }, 'Pipfile.lock has no category docs'],
    [{ python: '3.11.9' }, 'Pipfile.lock is for Python 3.12, the image has 3.11.9'],
    [
      { edit: (text: string) => text.replace('"2.32.4"', '"2"').replace('"==2.32.4"', '"==2"') },
      'Pipfile.lock does not fit Pipfile: pipenv would lock anew, or fail',
    ],
    [
      { edit: (text: string) => text.replaceAll('index.example', '$HOST') },
      'Pipfile.lock does not fit Pipfile: pipenv would lock anew, or fail',
    ],
    [
      { edit: (text: string) => text.replaceAll('index.example', '$HOST'), isChecked: false },
      'a source of Pipfile.lock takes a value from the environment',
    ],
    [
      { edit: (text: string) => text.replace('"pipfile-spec": 6', '"pipfile-spec": 5') },
      'Pipfile.lock has a format that is not read (pipfile-spec 6 is)',
    ],
  ] satisfies readonly (readonly [Question, string])[])('%j', (question, expected) => {
    expect(names(read('pipenv', 'pipenv', question))).toBe(expected)
  })

  test('needn’t fit where pipenv doesn’t ask', () => {
    const edit = (text: string): string => text.replace('six = "==1.17.0"\n', '')
    expect(names(read('pipenv', 'pipenv', { edit, isChecked: false }))).toBe(USUAL)
    expect(read('pipenv', 'pipenv')).toMatchObject({ indexes: ['https://index.example/simple'] })
  })
})
