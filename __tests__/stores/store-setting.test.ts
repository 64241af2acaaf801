import { describe, expect, test } from '@jest/globals'
import { parseStoreSetting } from '../../src/stores/store-setting.ts'

const s3 = { kind: 's3', bucket: 'cache', prefix: '', endpoint: undefined, region: undefined, pathStyle: false }

describe('the input store', () => {
  test.each([
    ['auto', 'auto'],
    ['off', 'off'],
    ['s3://cache', s3],
    ['s3://cache/', s3],
    ['s3://cache/team/app/?region=eu-west-1', { ...s3, prefix: 'team/app', region: 'eu-west-1' }],
    ['s3://cache?endpoint=https://s3.example.com', { ...s3, endpoint: 'https://s3.example.com', pathStyle: true }],
    [
      's3://cache?endpoint=https://s3.example.com&path-style=false',
      { ...s3, endpoint: 'https://s3.example.com', pathStyle: false },
    ],
    ['local+actions', { kind: 'layered', remote: 'actions' }],
    ['local+s3://cache/x', { kind: 'layered', remote: { ...s3, prefix: 'x' } }],
  ])('%s', (text, setting) => {
    expect(parseStoreSetting(text)).toEqual(setting)
  })

  test.each([
    ['s4', /is not one of auto, actions/],
    ['s3://', /is not an address|names no bucket/],
    ['s3://UPPER_case', /names no bucket/],
    ['s3://cache?colour=red', /parameter "colour" .* endpoint, region, path-style/],
    ['s3://name:word@cache', /holds a login/],
    ['s3://cache?endpoint=s3.example.com', /endpoint that is not an address/],
    ['s3://cache?endpoint=https://name:word@host', /endpoint that is not an address/],
    ['s3://cache?path-style=yes', /path-style that is not true or false/],
    ['s3://cache/a%20b', /prefix with other characters/],
    ['s3://cache#x', /part that an s3:\/\/ address has not/],
    ['local+off', /is not one of/],
    ['local+s3://', /is not an address|names no bucket/],
  ])('%s is refused', (text, wrong) => {
    expect(parseStoreSetting(text)).toEqual({ wrong: expect.stringMatching(wrong) })
  })
})
