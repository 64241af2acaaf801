import { describe, expect, test } from '@jest/globals'
import { isRefreshed, refreshRequest } from '../../src/inputs/refresh-request.ts'

function asked(env: Readonly<Record<string, string>>, event: unknown = undefined) {
  return refreshRequest(env, event === undefined ? '' : JSON.stringify(event))
}

describe('a request for new results', () => {
  test.each([
    ['the variable', asked({ IMAGE_CACHE_REFRESH: 'true' })],
    ['a dispatch input that is a text', asked({}, { inputs: { 'refresh-cache': 'true' } })],
    ['a dispatch input that is a boolean', asked({}, { inputs: { refresh_cache: true } })],
    ['the mark in a commit’s message', asked({}, { head_commit: { message: 'Upgrade [refresh-cache]' } })],
  ])('comes from %s and holds for every task', (_, request) => {
    expect(isRefreshed(request, 'any')).toBe(true)
    expect(request.why).not.toBe('')
  })

  test('may name tasks', () => {
    const request = asked({ IMAGE_CACHE_REFRESH: 'docs, client' })
    expect(['docs', 'client', 'doc'].map((name) => isRefreshed(request, name))).toEqual([true, true, false])
  })

  test.each([
    ['nothing', asked({})],
    ['false', asked({ IMAGE_CACHE_REFRESH: 'false' }, { inputs: { 'refresh-cache': false } })],
    ['an empty input', asked({}, { inputs: { 'refresh-cache': '' } })],
    ['inputs that are none', asked({}, { inputs: null, head_commit: null })],
    ['a message without the mark', asked({}, { head_commit: { message: 'Refresh the cache' } })],
    ['an event that is no JSON', refreshRequest({}, 'not JSON')],
    ['an event that is no object', asked({}, [1])],
  ])('is not there with %s', (_, request) => {
    expect(isRefreshed(request, 'any')).toBe(false)
  })
})
