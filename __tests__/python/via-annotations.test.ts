import { expect, test } from '@jest/globals'
import { readViaAnnotations } from '../../src/python/via-annotations.ts'

test('edges run from the packages behind "via" to the package of the line', () => {
  const text = [
    'anyio==4.16.0             # via Fast_API, starlette',
    'fastapi==0.165.0          # via -r requirements.in',
    'idna==3.20                # via anyio, -r requirements.in',
    'sniffio==1 ; sys_platform != "win32"  # via anyio',
    '# a comment via nobody',
    'broken line',
  ].join('\n')
  expect(readViaAnnotations(text)).toEqual(
    new Map([
      ['fast-api', ['anyio']],
      ['starlette', ['anyio']],
      ['anyio', ['idna', 'sniffio']],
    ]),
  )
})
