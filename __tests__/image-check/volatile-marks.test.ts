import { expect, test } from '@jest/globals'
import { isVolatile, lastingAnnotations, lastingLabels, volatileLabels } from '../../src/image-check/volatile-marks.ts'
import type { Annotation } from '../../src/registry/annotation.ts'

test.each<[string, readonly string[], boolean]>([
  ['org.opencontainers.image.revision', ['org.opencontainers.image.revision'], true],
  ['org.opencontainers.image.revision', ['org.opencontainers.image.*'], true],
  ['org.opencontainers.image.revision', ['*.revision'], true],
  ['org.opencontainers.image.revision', ['org.opencontainers.image'], false],
  ['orgXopencontainersXimageXrevision', ['org.opencontainers.image.revision'], false],
  ['com.example/build', ['com.example/*'], true],
  ['a+b', ['a+b'], true],
  ['aab', ['a+b'], false],
  ['anything', ['*'], true],
  ['anything', [], false],
])('%s is volatile by %j: %s', (name, globs, expected) => {
  expect(isVolatile(name, globs)).toBe(expected)
})

test('labels are lasting or volatile, each one of both', () => {
  const labels = new Map([
    ['team', 'ml'],
    ['build.date', 'today'],
  ])
  expect([...lastingLabels(labels, ['build.*'])]).toEqual([['team', 'ml']])
  expect([...volatileLabels(labels, ['build.*'])]).toEqual([['build.date', 'today']])
})

test('annotations go by their names, whatever they are written to', () => {
  const annotation = (name: string): Annotation => ({ levels: ['index'], platform: undefined, name, value: '1' })
  expect(lastingAnnotations([annotation('build.date'), annotation('team')], ['build.*'])).toEqual(['index:team=1'])
})
