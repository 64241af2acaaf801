import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { buildxFile, checksumOf, installBuildx } from '../../src/buildx/install-buildx.ts'

// The library is large: loading it for the first time takes a while on a busy machine.
jest.setTimeout(60_000)

const BYTES = '#!/bin/sh\necho buildx\n'
const FILE = buildxFile('v9.1.2', process.platform, process.arch) ?? 'none'

describe('buildx, where there is none', () => {
  let folder: string
  let server: Server
  let mirror: string
  let requests: string[]
  let checksum: string
  const before = { ...process.env }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tool-cache-'))
    process.env.RUNNER_TOOL_CACHE = join(folder, 'tools')
    process.env.RUNNER_TEMP = join(folder, 'temp')
    requests = []
    checksum = createHash('sha256').update(BYTES).digest('hex')
    server = createServer((request, response) => {
      requests.push(request.url ?? '')
      const isList = request.url === '/v9.1.2/checksums.txt'
      if (isList || request.url === `/v9.1.2/${FILE}`) response.end(isList ? `${checksum} *${FILE}\n` : BYTES)
      else response.writeHead(404).end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    mirror = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })
  afterEach(async () => {
    process.env = before
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
    await rm(folder, { recursive: true, force: true })
  })

  test('is put into the tool cache once, to be run', async () => {
    const { command, prefix } = await installBuildx('v9.1.2', mirror)
    expect([await readFile(command, 'utf8'), prefix]).toEqual([BYTES, []])
    expect((await stat(command)).mode & 0o111).not.toBe(0)
    expect((await installBuildx('v9.1.2', mirror)).command).toBe(command)
    expect(requests).toEqual(['/v9.1.2/checksums.txt', `/v9.1.2/${FILE}`])
  })

  test('is not taken with other bytes than its release says', async () => {
    checksum = '0'.repeat(64)
    await expect(installBuildx('v9.1.2', mirror)).rejects.toMatchObject({
      code: 'E_BUILDER',
      message: expect.stringMatching(
        /^buildx v9.1.2 could not be installed: .* has the checksum [0-9a-f]{64}, not 0{64}$/,
      ),
    })
    checksum = createHash('sha256').update(BYTES).digest('hex')
    expect((await installBuildx('v9.1.2', mirror)).command).toContain('buildx')
  })

  test('of a version that is not there is an error with the version', async () => {
    await expect(installBuildx('v9.9.9', mirror)).rejects.toThrow(/buildx v9.9.9 could not be installed: .*404/)
  })
})

test('files are named as docker/buildx names them', () => {
  expect(buildxFile('v0.33.0', 'linux', 'x64')).toBe('buildx-v0.33.0.linux-amd64')
  expect(buildxFile('v0.33.0', 'darwin', 'arm64')).toBe('buildx-v0.33.0.darwin-arm64')
  expect(buildxFile('v0.33.0', 'win32', 'x64')).toBe('buildx-v0.33.0.windows-amd64.exe')
  expect(buildxFile('v0.33.0', 'aix', 'ppc')).toBeUndefined()
})

test('a checksum is that of the whole name', () => {
  const digits = 'a'.repeat(64)
  expect(checksumOf(`${digits}  buildx.sbom\n${digits.replaceAll('a', 'b')} *buildx\n`, 'buildx')).toBe('b'.repeat(64))
  expect(checksumOf('<html>', 'buildx')).toBeUndefined()
})
