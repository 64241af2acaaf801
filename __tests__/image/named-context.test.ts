import { expect, test } from '@jest/globals'
import { type NamedContext, readNamedContext } from '../../src/image/named-context.ts'

const digest = `sha256:${'a'.repeat(64)}`
const git = (url: string, ref: string | undefined, folder = ''): NamedContext => ({ kind: 'git', url, ref, folder })

const cases: readonly [string, NamedContext][] = [
  ['lib', { kind: 'folder', path: 'lib' }],
  ['../lib', { kind: 'folder', path: '../lib' }],
  ['C:\\lib', { kind: 'folder', path: 'C:\\lib' }],
  ['docker-image://python:3.12', { kind: 'image', name: 'python:3.12' }],
  ['https://example.org/a/b.git', git('https://example.org/a/b.git', undefined)],
  ['https://example.org/a/b.git#main', git('https://example.org/a/b.git', 'main')],
  ['https://example.org/a/b.git#v1:docker/app', git('https://example.org/a/b.git', 'v1', 'docker/app')],
  ['https://example.org/a/b.git#:docker', git('https://example.org/a/b.git', undefined, 'docker')],
  ['https://example.org/a/b.git?tag=v1&subdir=/x/', git('https://example.org/a/b.git', 'refs/tags/v1', 'x')],
  ['https://example.org/a/b.git?branch=b&checksum=abc', git('https://example.org/a/b.git', 'abc')],
  ['github.com/org/app', git('https://github.com/org/app.git', undefined)],
  ['github.com/org/app.git#v2', git('https://github.com/org/app.git', 'v2')],
  ['git@example.org:a/b.git#v1', git('git@example.org:a/b.git', 'v1')],
  ['ssh://git@example.org/a/b#v1', git('ssh://git@example.org/a/b', 'v1')],
  ['git://example.org/a/b', git('git://example.org/a/b', undefined)],
  ['https://example.org/files.tar.gz', { kind: 'remote', url: 'https://example.org/files.tar.gz' }],
  ['oci-layout://out/image', { kind: 'layout', path: 'out/image', tag: 'latest', digest: undefined }],
  ['oci-layout://out/image:v1', { kind: 'layout', path: 'out/image', tag: 'v1', digest: undefined }],
  [`oci-layout://out/image@${digest}`, { kind: 'layout', path: 'out/image', tag: 'latest', digest }],
  ['target:base', { kind: 'unknown', scheme: 'target' }],
]

test.each(cases)('%s', (value, expected) => {
  expect(readNamedContext(value)).toEqual(expected)
})
