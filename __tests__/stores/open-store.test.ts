import { describe, expect, test } from '@jest/globals'
import { openStore } from '../../src/stores/open-store.ts'

const job = {
  GITHUB_ACTIONS: 'true',
  ACTIONS_RESULTS_URL: 'http://127.0.0.1:1/',
  ACTIONS_RUNTIME_TOKEN: 'a.b.c',
  GITHUB_WORKSPACE: '/workspace',
  HOME: '/home/runner',
}

describe('the store that is opened', () => {
  test.each([
    ['auto in an action', 'auto', job, 'actions', "GitHub's Actions cache"],
    [
      'auto on a server with cache service v1',
      'auto',
      { ...job, ACTIONS_RESULTS_URL: '', ACTIONS_CACHE_URL: 'x' },
      'actions',
      "GitHub's Actions cache",
    ],
    [
      'auto in a run step, which has no token',
      'auto',
      { ...job, ACTIONS_RUNTIME_TOKEN: '' },
      'local',
      'a local folder, no Actions cache here: ACTIONS_RUNTIME_TOKEN is not set: /home/runner/.cache/image-cache-action/store',
    ],
    [
      'auto on a laptop',
      'auto',
      { HOME: '/home/me' },
      'local',
      'a local folder, outside GitHub: /home/me/.cache/image-cache-action/store',
    ],
    [
      'auto on a laptop with another cache folder',
      'auto',
      { HOME: '/home/me', XDG_CACHE_HOME: '/fast' },
      'local',
      'a local folder, outside GitHub: /fast/image-cache-action/store',
    ],
    [
      'local in an action',
      'local',
      job,
      'local',
      'a local folder, as asked: /home/runner/.cache/image-cache-action/store',
    ],
    ['local without a home', 'local', {}, 'off', 'no place for a local store: neither XDG_CACHE_HOME nor HOME is set'],
    [
      'actions on a laptop',
      'actions',
      { HOME: '/home/me' },
      'off',
      'no Actions cache here: ACTIONS_RESULTS_URL is not set',
    ],
    [
      'actions without a workspace',
      'actions',
      { ...job, GITHUB_WORKSPACE: undefined },
      'off',
      'no Actions cache here: GITHUB_WORKSPACE is not set',
    ],
    ['off', 'off', job, 'off', 'the store is switched off'],
  ] as const)('for %s', (_, kind, env, name, why) => {
    const opened = openStore({ kind, env })
    expect([opened.store.name, opened.why]).toEqual([name, why])
  })

  test('lies in the folder that was given', () => {
    expect(openStore({ kind: 'local', env: {}, folder: '/there' }).why).toBe('a local folder, as asked: /there')
  })

  test('that is off says so at every call', async () => {
    const { store } = openStore({ kind: 'off', env: {} })
    const refusal = { kind: 'unavailable', reason: 'the store is switched off' }
    const answers = [await store.lookUp('k'), await store.fetch('k'), await store.save('k', new Uint8Array())]
    expect(answers).toEqual([refusal, refusal, refusal])
  })
})
