import { describe, expect, test } from '@jest/globals'
import { isFull, recallFullBuild, rememberFullBuild } from '../../src/flow/full-build.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import type { Store } from '../../src/stores/store.ts'
import { recordedTimeline } from '../support/rawjson-streams.ts'

const inputs = parseBuildInputs((name) => (name === 'tags' ? 'registry.example/team/app:1' : ''))
const full = recordedTimeline('v0.33.1-parallel')
const cached = recordedTimeline('v0.33.1-lazy-run-on-top')

function saved(seconds: number): readonly string[] {
  const keys: string[] = []
  rememberFullBuild(inputs, seconds, {
    clock: { now: () => 1_790_000_000_000 },
    saveLater: ({ key }) => keys.push(key),
  })
  return keys
}

/** A store that answers look-ups with this key. */
function answering(key: string): Store {
  const none = async () => ({ kind: 'miss' }) as const
  return {
    name: 'local',
    lookUp: async () => ({ kind: 'hit', key }),
    fetch: none,
    fetchFile: none,
    save: async () => ({ kind: 'unavailable', reason: 'read only' }),
    saveFile: async () => ({ kind: 'unavailable', reason: 'read only' }),
  }
}

describe('how long the last full build took', () => {
  test('is that of a build in which every step ran, and of no other', () => {
    expect([isFull(full), isFull(cached)]).toEqual([true, false])
  })

  test('is read from the key alone, to a tenth of a second', async () => {
    const [key = ''] = saved(129.44)
    expect(await recallFullBuild(inputs, answering(key))).toBe(129.4)
    expect(await recallFullBuild(inputs, answering(`${key}/other`))).toBeUndefined()
    expect(await recallFullBuild(inputs, answering('another-key'))).toBeUndefined()
  })
})
