import { describe, expect, test } from '@jest/globals'
import { cacheOwners } from '../../src/flow/cache-owners.ts'
import { cacheScope } from '../../src/flow/cache-scope.ts'
import type { TrustContext } from '../../src/stores/trust-scope.ts'
import { PUSH_TO_MAIN, pullRequest } from '../support/job-contexts.ts'

const push = PUSH_TO_MAIN
const pull = pullRequest('dev')

describe('caches beside the image', () => {
  test.each<[string, TrustContext, string | undefined, readonly string[]]>([
    ['outside GitHub there is one', { ...push, event: undefined, ref: undefined }, '', ['']],
    ['the default branch has the one without a name', push, '', ['']],
    ['a branch has its own', { ...push, ref: 'refs/heads/dev' }, 'branch-dev', ['branch-dev', '']],
    ['a pull request has its own and reads its branches’', pull, 'pull-7', ['pull-7', 'branch-dev', '']],
    ['a pull request onto the default branch', { ...pull, baseRef: 'main' }, 'pull-7', ['pull-7', '']],
    ['a fork writes none', { ...pull, fromFork: true }, undefined, ['pull-7', 'branch-dev', '']],
    ['who acts for others writes none', { ...push, event: 'pull_request_target' }, undefined, ['']],
    ['a default branch by another name', { ...push, ref: 'refs/heads/trunk', defaultBranch: 'trunk' }, '', ['']],
  ])('%s', (_, context, writes, reads) => {
    const owners = cacheOwners(context, 'auto')
    expect([owners.writes, owners.reads]).toEqual([writes, reads])
    expect(owners.refused === undefined).toBe(writes !== undefined)
  })

  test('are all written or not as the user wants', () => {
    expect(cacheOwners(pull, 'shared').writes).toBe('')
    expect(cacheOwners(pull, 'off')).toMatchObject({ writes: undefined, refused: 'cache-write: off' })
    expect(cacheOwners({ ...push, event: undefined }, 'off').writes).toBeUndefined()
  })

  test('have tags that fit, whatever a branch is called', () => {
    const names = ['Feature/Ünïcode', 'feature/x', 'feature-x', `long/${'x'.repeat(200)}`, `long/${'x'.repeat(201)}`]
    const owners = names.map((name) => cacheOwners({ ...push, ref: `refs/heads/${name}` }, 'auto').writes ?? '')
    expect(new Set(owners).size).toBe(names.length)
    const scope = cacheScope({ target: 't'.repeat(200), platforms: ['linux/amd64'] })
    for (const owner of owners) expect(`cache-${scope}-${owner}`).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/)
  })
})
