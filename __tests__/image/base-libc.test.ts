import { describe, expect, test } from '@jest/globals'
import { baseLibc } from '../../src/image/base-libc.ts'

const UBUNTU = [
  '/bin/sh -c #(nop)  ARG RELEASE',
  '/bin/sh -c #(nop)  LABEL org.opencontainers.image.ref.name=ubuntu',
  '/bin/sh -c #(nop)  LABEL org.opencontainers.image.version=24.04',
  '/bin/sh -c #(nop) ADD file:0f in / ',
]

describe('the C library of a base image', () => {
  test.each([
    ["# debian.sh --arch 'amd64' out/ 'bookworm' '@1765152000'", 36],
    ["# debian.sh --arch 'arm64' out/ 'trixie' '@1757289600'", 41],
    ["# debian.sh --arch 'amd64' out/ 'bullseye' '@1757289600'", 31],
    ['ADD alpine-minirootfs-3.21.3-x86_64.tar.gz / # buildkit', 'musl'],
    ['ADD alpine-minirootfs-3.12.0-x86_64.tar.gz / # buildkit', undefined],
    ["# debian.sh --arch 'amd64' out/ 'sid' '@1766966400'", undefined],
    ['/bin/sh -c #(nop) ADD file:0f in / ', undefined],
    ["RUN echo debian.sh --arch 'amd64' out/ 'bookworm' '@1'", undefined],
  ])('%s', (step, expected) => {
    expect(baseLibc([step, 'ENV PATH=/usr/local/bin', 'RUN /bin/sh -c apt-get update # buildkit'])).toBe(expected)
  })

  test('is that of the lowest layer, whatever is built of it', () => {
    expect(baseLibc(['FROM scratch', "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'"])).toBeUndefined()
  })

  test('of an Ubuntu is told by its labels, also where an image built on it writes others over them', () => {
    expect(baseLibc(UBUNTU)).toBe(39)
    expect(baseLibc([...UBUNTU, 'LABEL org.opencontainers.image.version=22.04'])).toBe(39)
    expect(baseLibc(['LABEL org.opencontainers.image.version=22.04'])).toBeUndefined()
  })

  test('is not known of an image without a history', () => {
    expect(baseLibc([])).toBeUndefined()
  })
})
