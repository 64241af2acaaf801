import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { buildTrouble, isPushed, pushedDigest } from '../../src/buildx/build-trouble.ts'
import { mergeTimelines } from '../../src/buildx/merge-timelines.ts'
import { createProgress } from '../../src/buildx/progress.ts'
import type { BuildTimeline } from '../../src/buildx/progress-timeline.ts'

const DIGEST = 'a'.repeat(64)

function timelineOf(...lines: readonly string[]): BuildTimeline {
  const progress = createProgress()
  for (const line of lines) progress.push(line)
  return progress.snapshot()
}

function recorded(name: string): BuildTimeline {
  const file = join(import.meta.dirname, `../fixtures/rawjson/rawjson-${name}.jsonl`)
  return timelineOf(...readFileSync(file, 'utf8').split('\n'))
}

/** A build whose step failed, as buildx tells it. */
function failing(name: string, error: string): BuildTimeline {
  const vertex = {
    digest: 'sha256:1',
    name,
    started: '2026-01-01T00:00:00Z',
    completed: '2026-01-01T00:00:01Z',
    error,
  }
  return timelineOf(JSON.stringify({ vertexes: [vertex] }), `error: failed to solve: ${error}`)
}

describe('a build that failed is tried again', () => {
  test.each([
    [
      'push',
      'exporting to image',
      'failed to push r.example/app:1: unexpected status from POST request to https://r.example/v2/app/blobs/uploads/: 429 Too Many Requests',
    ],
    [
      'push',
      'exporting to image',
      'failed to push r.example/app:1: unexpected status from PUT request to https://r.example/v2/app/blobs/uploads/x: 503 Service Unavailable',
    ],
    [
      'push',
      'exporting to image',
      'failed to push r.example/app:1: unexpected status from PUT request to https://r.example/v2/app/blobs/uploads/x?digest=y: 400 Bad Request',
    ],
    [
      'push',
      'exporting to image',
      'failed to push r.example/app:1: failed to copy: write tcp 1.2.3.4: connection reset by peer',
    ],
    [
      'other',
      'exporting to image',
      'failed to push r.example/app:1: denied: requested access to the resource is denied',
    ],
    [
      'other',
      'exporting to image',
      'failed to push r.example/app:1: unexpected status from PUT request to https://r.example/v2/app/manifests/1: 400 Bad Request',
    ],
    [
      'import-lost',
      '[2/2] COPY a /b',
      `failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:${DIGEST} (application/vnd.oci.image.layer.v1.tar+zstd) from remote: not found`,
    ],
    ['import-lost', '[2/2] RUN true', `failed to load cache key: content digest sha256:${DIGEST}: not found`],
    ['shared-graph', '[2/2] RUN true', 'failed to get edge: inconsistent graph state'],
    [
      'other',
      '[2/2] RUN make',
      'process "/bin/sh -c make # blob not found" did not complete successfully: exit code: 2',
    ],
    ['other', '[1/1] FROM r.example/base:1', 'r.example/base:1: not found'],
  ])('as %s: %s: %s', (trouble, step, error) => {
    expect(buildTrouble(failing(step, error), 1)).toBe(trouble)
  })

  test('nothing imported can’t be lost', () => {
    expect(buildTrouble(failing('[2/2] COPY a /b', `content digest sha256:${DIGEST}: not found`), 0)).toBe('other')
  })
})

describe('an image is safe', () => {
  test.each([
    ['v0.33.1-parallel', true],
    ['v0.27.1-sequential', true],
    ['v0.33.1-two-outputs', true],
    ['v0.33.1-cache-error-ignored', true],
    ['v0.33.1-cache-error-fatal', false],
  ])('%s: %s', (name, safe) => {
    expect(isPushed(recorded(name))).toBe(safe)
  })

  test('with the digest that the push named', () => {
    expect(pushedDigest(recorded('v0.33.1-parallel'))).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(pushedDigest(recorded('v0.33.1-cache-error-fatal'))).toBeUndefined()
  })
})

test('two clients on one daemon are one timeline, each at its own time', () => {
  const [push, cache] = [recorded('v0.27.1-twosolve-push'), recorded('v0.27.1-twosolve-cache')]
  const both = mergeTimelines(push, cache)
  expect(push.cacheExports).toEqual([])
  expect(both.cacheExports).toHaveLength(1)
  const offset = (cache.startedAt ?? 0) - (push.startedAt ?? 0)
  expect(both.cacheExports[0]?.start).toBeCloseTo((cache.cacheExports[0]?.start ?? 0) + offset, 3)
  expect(both.overlap).toBeGreaterThan(1000)
  expect(both.steps.filter(({ kind }) => kind === 'run')).toEqual(push.steps.filter(({ kind }) => kind === 'run'))
})
