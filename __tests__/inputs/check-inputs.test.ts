import { expect, test } from '@jest/globals'
import { parseCheckInputs } from '../../src/inputs/check-inputs.ts'

function parse(given: Readonly<Record<string, string>>) {
  return parseCheckInputs((name) => given[name] ?? '')
}

test('images by name need no tags', () => {
  const { images, build } = parse({
    images: 'python:3.12, ghcr.io/org/app:1\nghcr.io/org/other',
    platforms: 'linux/arm64',
  })
  expect(images.map(({ path, tag }) => `${path}:${tag}`)).toEqual([
    'library/python:3.12',
    'org/app:1',
    'org/other:latest',
  ])
  expect(build.platforms).toEqual(['linux/arm64'])
})

test('the inputs of a build do, as they stand in its own step', () => {
  const { images, build } = parse({ tags: 'ghcr.io/org/app:1', push: 'true', 'build-args': 'A=1' })
  expect(images).toEqual([])
  expect([...build.buildArgs]).toEqual([['A', '1']])
})

test('neither is a mistake', () => {
  expect(() => parse({})).toThrow('tags: "" is empty, and so is images: give the names of one of them')
})

test('mistakes of both kinds are reported together', () => {
  const wrong = { images: 'Org/App', platforms: 'arm', 'check-unknown': 'maybe' }
  expect(() => parse(wrong)).toThrow(/platforms: "arm" .*check-unknown: "maybe" .*images: "Org\/App" .*lower case/)
})
