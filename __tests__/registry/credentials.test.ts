import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { dockerCredentials } from '../../src/registry/credentials.ts'

let folder: string
const usualPath = process.env.PATH ?? ''

// A real helper program, found on the PATH as Docker finds it.
const HELPER = `#!/bin/sh
[ "$1" = get ] || exit 9
read -r server
case "$server" in
  store.example) echo '{"ServerURL":"store.example","Username":"kept","Secret":"kept-secret"}' ;;
  token.example) echo '{"Username":"<token>","Secret":"identity"}' ;;
  https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"hub-secret"}' ;;
  broken.example) echo 'keyring is locked with hush-hush'; exit 1 ;;
  odd.example) echo 'not json' ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'))
  const helper = join(folder, 'docker-credential-teststore')
  await writeFile(helper, HELPER)
  await chmod(helper, 0o755)
  process.env.PATH = `${folder}${delimiter}${usualPath}`
})

afterAll(async () => {
  process.env.PATH = usualPath
  await rm(folder, { recursive: true })
})

const encoded = (text: string) => Buffer.from(text).toString('base64')
const password = (username: string, secret: string) => ({ kind: 'password', username, password: secret })

describe('a login is found', () => {
  test.each<[string, object, string, object | undefined]>([
    [
      'as user and password',
      { auths: { 'a.example': { auth: encoded('me:p:w') } } },
      'a.example',
      password('me', 'p:w'),
    ],
    [
      'under a port',
      { auths: { 'a.example:5000': { auth: encoded('me:pw') } } },
      'a.example:5000',
      password('me', 'pw'),
    ],
    ['only under the same port', { auths: { 'a.example:5000': { auth: encoded('me:pw') } } }, 'a.example', undefined],
    [
      'under an old URL',
      { auths: { 'https://a.example/v1/': { auth: encoded('me:pw') } } },
      'a.example',
      password('me', 'pw'),
    ],
    ['never for a longer host', { auths: { 'a.example': { auth: encoded('me:pw') } } }, 'a.example.org', undefined],
    [
      'for Docker Hub',
      { auths: { 'https://index.docker.io/v1/': { auth: encoded('me:pw') } } },
      'docker.io',
      password('me', 'pw'),
    ],
    [
      'as plain fields',
      { auths: { 'a.example': { username: 'me', password: 'pw' } } },
      'a.example',
      password('me', 'pw'),
    ],
    [
      'as an identity token',
      { auths: { 'a.example': { identitytoken: 'it', auth: encoded('x:') } } },
      'a.example',
      { kind: 'identity-token', token: 'it' },
    ],
    [
      'as a registry token',
      { auths: { 'a.example': { registrytoken: 'rt' } } },
      'a.example',
      { kind: 'registry-token', token: 'rt' },
    ],
    [
      'in the credential store',
      { credsStore: 'teststore', auths: { 'store.example': {} } },
      'store.example',
      password('kept', 'kept-secret'),
    ],
    ['in the store for Docker Hub', { credsStore: 'teststore' }, 'docker.io', password('hub', 'hub-secret')],
    [
      'by a helper for one host',
      { credHelpers: { 'token.example': 'teststore' } },
      'token.example',
      { kind: 'identity-token', token: 'identity' },
    ],
    [
      'in the file when the store has none',
      { credsStore: 'teststore', auths: { 'a.example': { auth: encoded('me:pw') } } },
      'a.example',
      password('me', 'pw'),
    ],
    ['not at all', { auths: {} }, 'a.example', undefined],
  ])('%s', async (_, config, registry, expected) => {
    expect(await (await credentials(JSON.stringify(config))).credentialFor(registry)).toEqual(expected)
  })

  test('without a config file there is none', async () => {
    const source = dockerCredentials({ configFile: join(folder, 'no', 'config.json'), exec: new SpawnExec() })
    expect(await source.credentialFor('a.example')).toBeUndefined()
  })
})

describe('DOCKER_AUTH_CONFIG', () => {
  const auths = (secret: string) => JSON.stringify({ auths: { 'a.example': { auth: encoded(`me:${secret}`) } } })

  test('comes before the config file, which is asked for other registries', async () => {
    const file = { auths: { 'a.example': { auth: encoded('me:file') }, 'b.example': { auth: encoded('me:file') } } }
    const source = await credentials(JSON.stringify(file), auths('environment'))
    expect(await source.credentialFor('a.example')).toEqual(password('me', 'environment'))
    expect(await source.credentialFor('b.example')).toEqual(password('me', 'file'))
  })

  test('is enough without a config file, also one that can’t be read', async () => {
    const source = await credentials('no JSON', auths('environment'))
    expect(await source.credentialFor('a.example')).toEqual(password('me', 'environment'))
  })

  test('that is damaged is named, without its text', async () => {
    const source = await credentials('{}', '{"auths": hush-hush')
    const error = await source.credentialFor('a.example').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'E_REGISTRY_AUTH', message: 'DOCKER_AUTH_CONFIG is no JSON object' })
  })
})

describe('a login that is there but cannot be read is an error', () => {
  test.each<[string, string, string, string]>([
    ['a config that is no JSON', '{"auths": {"a.example": {"auth": "hush-hush', 'a.example', 'is no JSON object'],
    ['a damaged login', '{"auths": {"a.example": {"auth": "!!!!"}}}', 'a.example', 'the login for a.example'],
    [
      'a failing helper',
      '{"credsStore": "teststore"}',
      'broken.example',
      'docker-credential-teststore ended with exit code 1',
    ],
    ['a helper that talks nonsense', '{"credsStore": "teststore"}', 'odd.example', 'did not answer with JSON'],
    [
      'a helper that is not there',
      '{"credsStore": "nowhere"}',
      'a.example',
      'docker-credential-nowhere could not be run',
    ],
    ['a helper name that leaves its folder', '{"credsStore": "../../bin/sh"}', 'a.example', 'is no program name'],
  ])('%s', async (_, config, registry, sentence) => {
    const error = await (await credentials(config)).credentialFor(registry).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ImageCacheError)
    expect(error).toMatchObject({ code: 'E_REGISTRY_AUTH', message: expect.stringContaining(sentence) })
    expect(String(error)).not.toContain('hush-hush')
  })
})

async function credentials(config: string, authConfig?: string) {
  const configFile = join(folder, 'config.json')
  await writeFile(configFile, config)
  return dockerCredentials({ configFile, authConfig, exec: new SpawnExec() })
}
