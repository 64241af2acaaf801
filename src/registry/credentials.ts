import { readFile } from 'node:fs/promises'
import { codeOf, ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, type JsonRecord, parseJson, textField } from '../base/json-value.ts'

/** What a login left behind. An identity token is traded for access tokens; a registry token is one already. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity-token'; readonly token: string }
  | { readonly kind: 'registry-token'; readonly token: string }

/** Where the registry client gets logins from. Asked only after a registry has refused. */
export interface CredentialSource {
  /**
   * @param registry as references have it: `docker.io`, `localhost:5000`
   * @throws ImageCacheError E_REGISTRY_AUTH when there is a login that can't be read
   */
  credentialFor(registry: string): Promise<Credential | undefined>
}

/** Runs a credential helper; `Exec` fits. */
export interface HelperRunner {
  run(
    command: string,
    args: readonly string[],
    options: { readonly input: string },
  ): Promise<{ readonly exitCode: number | null; readonly stdout: string }>
}

export interface DockerCredentialsOptions {
  /** Docker's `config.json`, in `$DOCKER_CONFIG` or `~/.docker`. Needn't exist. */
  readonly configFile: string
  /** `$DOCKER_AUTH_CONFIG`: logins as in the file's `auths`, which come before it (Docker 28.3 and newer). */
  readonly authConfig?: string | undefined
  readonly exec: HelperRunner
}

/** Logins as Docker writes them, and where they stand, for messages. */
interface LoginConfig {
  readonly json: JsonRecord
  readonly place: string
}

const HUB_KEY = 'https://index.docker.io/v1/'
const HUB_HOSTS: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** The logins of `docker login`: its config file, credential store and credential helpers (docker/cli, `config/configfile`). */
export function dockerCredentials(options: DockerCredentialsOptions): CredentialSource {
  const found = new Map<string, Promise<Credential | undefined>>()
  let config: Promise<LoginConfig> | undefined

  async function find(registry: string): Promise<Credential | undefined> {
    const given = fromAuths(parseConfig(options.authConfig ?? '', 'DOCKER_AUTH_CONFIG'), registry)
    if (given !== undefined) return given
    config ??= readConfig(options.configFile)
    const settings = await config
    const helper = helperFor(settings.json, registry)
    const fromHelper = helper === undefined ? undefined : await askHelper(options.exec, helper, registry)
    return fromHelper ?? fromAuths(settings, registry)
  }

  return {
    credentialFor(registry) {
      const known = found.get(registry) ?? find(registry)
      found.set(registry, known)
      return known
    },
  }
}

async function readConfig(file: string): Promise<LoginConfig> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return parseConfig('', file)
    throw unreadable(`Docker's config file ${file} can't be read`, 'Check its permissions.')
  }
  return parseConfig(text, `Docker's config file ${file}`)
}

function parseConfig(text: string, place: string): LoginConfig {
  const json = text.trim() === '' ? {} : parseJson(text)
  // The text itself stays out of the error: it holds passwords.
  if (!isJsonRecord(json)) throw unreadable(`${place} is no JSON object`, 'Repair it, or log in again.')
  return { json, place }
}

function helperFor(config: JsonRecord, registry: string): string | undefined {
  const helpers = isJsonRecord(config.credHelpers) ? config.credHelpers : {}
  const key = Object.keys(helpers).find((name) => sameHost(name, registry))
  const name = (key === undefined ? undefined : textField(helpers, key)) ?? textField(config, 'credsStore')
  if (name === undefined || name === '') return undefined
  if (!/^[A-Za-z0-9_.-]+$/.test(name))
    throw unreadable(`the credential helper ${JSON.stringify(name)} is no program name`)
  return `docker-credential-${name}`
}

/** Helpers read the server from standard input and write JSON (docker/docker-credential-helpers, README). */
async function askHelper(exec: HelperRunner, helper: string, registry: string): Promise<Credential | undefined> {
  const failed = (why: string, cause?: unknown) =>
    unreadable(`the credential helper ${helper} ${why}`, `Try: echo ${serverKey(registry)} | ${helper} get`, cause)
  const { exitCode, stdout } = await exec
    .run(helper, ['get'], { input: serverKey(registry) })
    .catch((error: unknown) => {
      throw failed('could not be run', error)
    })
  if (exitCode !== 0) {
    if (/credentials not found|credentials server URL|no credentials/i.test(stdout)) return undefined
    throw failed(`ended with exit code ${exitCode}`)
  }
  const answer = parseJson(stdout)
  if (!isJsonRecord(answer)) throw failed('did not answer with JSON')
  const username = textField(answer, 'Username') ?? ''
  const secret = textField(answer, 'Secret') ?? ''
  if (secret === '') return undefined
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'password', username, password: secret }
}

function fromAuths({ json, place }: LoginConfig, registry: string): Credential | undefined {
  const auths = isJsonRecord(json.auths) ? json.auths : {}
  const keys = Object.keys(auths).filter((key) => sameHost(key, registry))
  // An exact key wins over one that only has the same host.
  const entry = auths[keys.find((key) => key === registry || key === HUB_KEY) ?? keys[0] ?? '']
  if (!isJsonRecord(entry)) return undefined

  const identity = textField(entry, 'identitytoken') ?? ''
  if (identity !== '') return { kind: 'identity-token', token: identity }
  const token = textField(entry, 'registrytoken') ?? ''
  if (token !== '') return { kind: 'registry-token', token }
  const auth = textField(entry, 'auth') ?? ''
  if (auth !== '') return decodeAuth(auth, registry, place)
  const username = textField(entry, 'username') ?? ''
  const password = textField(entry, 'password') ?? ''
  return username === '' ? undefined : { kind: 'password', username, password }
}

function decodeAuth(auth: string, registry: string, place: string): Credential {
  const text = Buffer.from(auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1)
    throw unreadable(`the login for ${registry} in ${place} is damaged`, `Log in again: docker login ${registry}`)
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
}

function serverKey(registry: string): string {
  return HUB_HOSTS.has(registry) ? HUB_KEY : registry
}

/** Keys are hosts or, from old logins, URLs. */
function sameHost(key: string, registry: string): boolean {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? ''
  return host === registry || (HUB_HOSTS.has(host) && HUB_HOSTS.has(registry))
}

function unreadable(sentence: string, hint = 'Repair it, or log in again.', cause?: unknown): ImageCacheError {
  return new ImageCacheError('E_REGISTRY_AUTH', sentence, { hint, cause })
}
