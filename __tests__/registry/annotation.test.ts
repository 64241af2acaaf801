import { expect, test } from '@jest/globals'
import { formatAnnotation, parseAnnotation } from '../../src/registry/annotation.ts'

test.each([
  ['a.b=c', { levels: ['manifest'], platform: undefined, name: 'a.b', value: 'c' }, 'manifest:a.b=c'],
  ['index:a=b=c', { levels: ['index'], platform: undefined, name: 'a', value: 'b=c' }, 'index:a=b=c'],
  [
    'index,manifest[linux/arm64]:a=',
    { levels: ['manifest', 'index'], platform: 'linux/arm64', name: 'a', value: '' },
    'manifest,index[linux/arm64]:a=',
  ],
  [
    'manifest-descriptor:a=b',
    { levels: ['manifest-descriptor'], platform: undefined, name: 'a', value: 'b' },
    'manifest-descriptor:a=b',
  ],
])('%s is read, and written in one spelling', (text, expected, written) => {
  const annotation = parseAnnotation(text)
  expect(annotation).toEqual(expected)
  if (typeof annotation !== 'string') expect(formatAnnotation(annotation)).toBe(written)
  expect(parseAnnotation(written)).toEqual(expected)
})

test.each([
  ['', 'is not NAME=VALUE'],
  ['a', 'is not NAME=VALUE'],
  ['=a', 'is not NAME=VALUE'],
  ['image:a=b', 'has the level "image", which is not one of manifest, index, manifest-descriptor, index-descriptor'],
])('%j is refused', (text, why) => {
  expect(parseAnnotation(text)).toBe(why)
})
