import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { chainDockerfile, copyProject, heavyRequirements, PROJECTS, splitByHand } from '../../tools/measure/project.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'project-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe.each(PROJECTS.map((project) => [project.name, project] as const))('the project %s', (_, project) => {
  test('is copied, and changes touch the copy alone', async () => {
    const copy = await copyProject(project, folder)
    const read = (base: string, name: string): Promise<string> => readFile(join(base, name), 'utf8')
    const before = await read(project.folder, 'requirements.txt')
    const added = [await copy.addLight(), await copy.addLight()]
    await copy.changeSource()
    expect(new Set(added).size).toBe(2)
    expect(await read(folder, 'requirements.txt')).toBe(`${before}${added.join('\n')}\n`)
    expect(await read(project.folder, 'requirements.txt')).toBe(before)
    expect(await read(folder, project.source)).not.toBe(await read(project.folder, project.source))
  })

  test('adds no package that it has already', async () => {
    const requirements = await readFile(join(project.folder, 'requirements.txt'), 'utf8')
    const names = project.light.map((requirement) => requirement.split('==')[0] ?? '')
    expect(names.filter((name) => requirements.includes(name))).toEqual([])
  })

  test('has an install that can be split by hand, heavy packages first', async () => {
    const copy = await copyProject(project, folder)
    await splitByHand(project, copy)
    const dockerfile = await readFile(join(folder, 'Dockerfile.chain'), 'utf8')
    expect(dockerfile.match(/^(COPY|RUN) .*requirements.*$/gm)).toEqual([
      'COPY requirements-heavy.txt .',
      'RUN pip install --no-cache-dir -r requirements-heavy.txt',
      'COPY requirements.txt .',
      'RUN pip install --no-cache-dir -r requirements.txt',
    ])
    const heavy = await readFile(join(folder, 'requirements-heavy.txt'), 'utf8')
    expect(heavy.trim().split('\n')).toHaveLength(project.heavy.length)
  })
})

test('a Dockerfile without that install is refused', () => {
  expect(() => chainDockerfile('FROM python\nRUN poetry install\n')).toThrow(RangeError)
})

test('heavy requirements are told by whole names', () => {
  expect(heavyRequirements('torch==2\ntorchvision==1\nnumpy>=2\n', ['torch', 'numpy'])).toBe('torch==2\nnumpy>=2\n')
})
