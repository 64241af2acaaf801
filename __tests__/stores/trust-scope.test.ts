import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readTrustContext } from '../../src/stores/trust-context.ts'
import { type TrustContext, trustScope } from '../../src/stores/trust-scope.ts'
import { PUSH_TO_MAIN, pullRequest } from '../support/job-contexts.ts'

const push = PUSH_TO_MAIN
const pull = pullRequest('release')

describe('the scope of', () => {
  test.each<[string, TrustContext, string | RegExp, string[]]>([
    ['the default branch', push, 'trusted/main', ['trusted/main']],
    ['another branch', { ...push, ref: 'refs/heads/work' }, 'trusted/work', ['trusted/work', 'trusted/main']],
    ['a scheduled run', { ...push, event: 'schedule' }, 'trusted/main', ['trusted/main']],
    ['a tag', { ...push, ref: 'refs/tags/v1' }, 'tags/v1', ['tags/v1', 'trusted/main']],
    ['a pull request', pull, 'pull/7', ['pull/7', 'trusted/release', 'trusted/main']],
    ['a pull request into the default branch', { ...pull, baseRef: 'main' }, 'pull/7', ['pull/7', 'trusted/main']],
    [
      'a pull request from a fork',
      { ...pull, fromFork: true },
      /^read-only: .* fork/,
      ['pull/7', 'trusted/release', 'trusted/main'],
    ],
    [
      'a pull request of which nothing is known',
      { ...pull, fromFork: undefined },
      /^read-only: .* fork/,
      ['pull/7', 'trusted/release', 'trusted/main'],
    ],
    [
      'a comment on a pull request',
      { ...push, event: 'issue_comment' },
      /^read-only: .* issue_comment/,
      ['trusted/main'],
    ],
    [
      'a pull request that runs in the base',
      { ...push, event: 'pull_request_target', fromFork: false },
      /^read-only: /,
      ['trusted/main'],
    ],
    [
      'a run after a run of a fork',
      { ...push, event: 'workflow_run', fromFork: true },
      /^read-only: /,
      ['trusted/main'],
    ],
    ['a run after a run of unknown origin', { ...push, event: 'workflow_run' }, /^read-only: /, ['trusted/main']],
    ['a run after an own run', { ...push, event: 'workflow_run', fromFork: false }, 'trusted/main', ['trusted/main']],
    [
      'a merge queue',
      { ...push, event: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-7-0a1b' },
      'queue/main',
      ['queue/main', 'trusted/main'],
    ],
    ['a run without a ref', { ...push, ref: undefined }, /^read-only: /, ['trusted/main']],
    ['a laptop', { ...push, event: undefined, ref: undefined }, 'dev', ['dev', 'trusted/main']],
  ])('%s', (_, context, writes, reads) => {
    const scope = trustScope(context)
    if (typeof writes === 'string') expect(scope.writes).toEqual({ scope: writes })
    else expect(scope.writes).toEqual({ refused: expect.stringMatching(writes) })
    expect(scope.reads).toEqual(reads)
  })

  test('two branches is never the same, and always one plain part of a path', () => {
    const branch = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.constantFrom('a/b', 'a_b', 'A/B', '..', '.', 'a/../b', 'x'.repeat(300)),
    )
    const scopeOf = (name: string) => trustScope({ ...push, ref: `refs/heads/${name}` }).writes
    fc.assert(
      fc.property(branch, branch, (one, other) => {
        const [left, right] = [scopeOf(one), scopeOf(other)]
        if (!('scope' in left) || !('scope' in right)) return true
        expect(left.scope).toMatch(/^(trusted|queue)\/[a-z0-9_~-][a-z0-9._~-]{0,120}$/)
        return one === other || left.scope.startsWith('queue') || left.scope !== right.scope
      }),
    )
  })

  test('a pull request never writes where a branch reads, whatever it is called', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), (name, base, fromFork) => {
        const writer = trustScope({ ...pull, baseRef: base, fromFork }).writes
        const reader = trustScope({ ...push, ref: `refs/heads/${name}` })
        return !('scope' in writer) || !reader.reads.includes(writer.scope)
      }),
    )
  })
})

describe('what a job says of itself', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trust-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function contextOf(payload: string): Promise<TrustContext> {
    const path = join(folder, 'event.json')
    await writeFile(path, payload)
    return readTrustContext({
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: path,
      GITHUB_REF: 'refs/pull/7/merge',
      GITHUB_BASE_REF: 'main',
      GITHUB_REPOSITORY: 'org/app',
    })
  }

  test.each([
    ['of the same repository', 'org/app', false],
    ['of a fork', 'somebody/app', true],
  ])('a pull request %s', async (_, head, fromFork) => {
    const payload = { pull_request: { head: { repo: { full_name: head } } }, repository: { default_branch: 'trunk' } }
    expect(await contextOf(JSON.stringify(payload))).toEqual({
      event: 'pull_request',
      ref: 'refs/pull/7/merge',
      baseRef: 'main',
      defaultBranch: 'trunk',
      fromFork,
    })
  })

  test.each(['{}', '', '[1', '{"pull_request":{"head":{"repo":null}}}'])(
    'a payload that tells nothing: %j',
    async (payload) => {
      expect(await contextOf(payload)).toMatchObject({ fromFork: undefined, defaultBranch: 'main' })
    },
  )

  test('nothing outside GitHub', () => {
    expect(readTrustContext({ GITHUB_EVENT_NAME: 'push' })).toMatchObject({ event: undefined })
  })
})
