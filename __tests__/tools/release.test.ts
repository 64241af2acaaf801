import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, test } from '@jest/globals'
import { moveTags } from '../../tools/release/move-tags.ts'
import { planRelease, type ReleaseFacts, releaseNotes } from '../../tools/release/plan-release.ts'

const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n- soon\n\n## 1.4.0 - 2026-12-01\n\n### Added\n\n- this\n\n## 1.3.9\n\n- that\n'

function facts(tag: string, tags: readonly string[] = []): ReleaseFacts {
  const changelog = `${CHANGELOG}\n## ${tag.slice(1)}\n\n- new\n`
  return { tag, packageVersion: tag.slice(1), changelog, tags: [...tags, tag], isOnMain: true }
}

describe('a release', () => {
  test.each([
    ['the first of all', 'v1.0.0', [], 'latest', true, ['v1.0', 'v1']],
    ['the newest', 'v1.4.0', ['v1', 'v1.3', 'v1.3.9', 'v0.9.0'], 'latest', true, ['v1.4', 'v1']],
    ['a repair of an older minor version', 'v1.3.10', ['v1.3.9', 'v1.4.0'], 'v1', false, ['v1.3']],
    ['a repair of an older major version', 'v1.9.1', ['v1.9.0', 'v2.0.0'], 'v1', false, ['v1.9', 'v1']],
    ['a candidate', 'v2.0.0-rc.1', ['v1.9.0'], 'next', false, []],
    ['what comes after its candidate', 'v2.0.0', ['v2.0.0-rc.1', 'v1.9.0'], 'latest', true, ['v2.0', 'v2']],
    ['one beside a candidate of a higher version', 'v1.9.1', ['v2.0.0-rc.1'], 'latest', true, ['v1.9', 'v1']],
    ['one after ten', 'v1.10.0', ['v1.9.0', 'v1.2.0'], 'latest', true, ['v1.10', 'v1']],
  ])('that is %s moves the tags of its versions and no other', (_, tag, tags, npmTag, isLatest, move) => {
    const plan = planRelease(facts(tag, tags))
    expect(plan).toEqual({ version: tag.slice(1), npmTag, isPrerelease: tag.includes('-'), isLatest, move })
  })

  test('is refused with all that speaks against it', () => {
    const wrong = planRelease({ ...facts('v1.4.1'), packageVersion: '1.4.0', changelog: CHANGELOG, isOnMain: false })
    expect(wrong).toEqual([
      'package.json says 1.4.0, the tag says v1.4.1',
      'CHANGELOG.md has no section "## 1.4.1"',
      'the commit of v1.4.1 is not on main',
    ])
    expect(planRelease(facts('v1.4'))).toEqual(['v1.4 is not vX.Y.Z or vX.Y.Z-word.N'])
  })

  test('has the section of the changelog as its notes', () => {
    expect(releaseNotes(CHANGELOG, 'v1.4.0')).toBe('### Added\n\n- this')
    expect(releaseNotes(CHANGELOG, 'v1.3.9')).toBe('- that')
    // No version is another one's beginning.
    expect(releaseNotes(CHANGELOG, 'v1.3')).toBe('')
  })
})

describe('tags are moved', () => {
  let server: Server
  const seen: string[] = []
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  async function api(answer: (request: string) => number): Promise<string> {
    seen.length = 0
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on('end', () => {
        const line = `${request.method} ${request.url} ${body}`
        seen.push(line)
        response.writeHead(request.headers.authorization === 'Bearer t' ? answer(line) : 401).end('{"message":"said"}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  test('those that are there, and those that are new', async () => {
    const place = {
      api: await api((line) => (line.startsWith('PATCH /repos/o/r/git/refs/tags/v1.4 ') ? 422 : 200)),
      repository: 'o/r',
      token: 't',
    }
    await moveTags(['v1.4', 'v1'], 'abc', place)
    expect(seen).toEqual([
      'PATCH /repos/o/r/git/refs/tags/v1.4 {"sha":"abc","force":true}',
      'POST /repos/o/r/git/refs {"ref":"refs/tags/v1.4","sha":"abc"}',
      'PATCH /repos/o/r/git/refs/tags/v1 {"sha":"abc","force":true}',
    ])
  })

  test('and one that is refused ends it with what the API said', async () => {
    const place = { api: await api(() => 403), repository: 'o/r', token: 't' }
    await expect(moveTags(['v1.4', 'v1'], 'abc', place)).rejects.toThrow(
      /^v1\.4 can't be moved: 403 \{"message":"said"\}/,
    )
    expect(seen).toHaveLength(2)
  })
})
