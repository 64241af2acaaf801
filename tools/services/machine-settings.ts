import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** What a build step needs to reach the package index from this machine. Read when it runs; none of it is in the repository. */
export interface MachineSettings {
  /** Files for the image, by path without the first slash. */
  readonly files: readonly { readonly path: string; readonly content: Buffer }[]
  readonly env: Readonly<Record<string, string>>
  /** The machine's certificates as a file, or undefined when it has none. */
  readonly certificates: string | undefined
}

const certificatesInImage = '/etc/ssl/certs/ca-certificates.crt'
const certificateVariables = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE']
const passedVariables = [
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_TRUSTED_HOST',
  'PIP_DEFAULT_TIMEOUT',
  'UV_DEFAULT_INDEX',
  'UV_INDEX',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]

/** Reads certificates, pip's settings and proxies of this machine. */
export function machineSettings(): MachineSettings {
  const env: Record<string, string> = {}
  const given = (name: string) => process.env[name] || undefined
  for (const name of passedVariables) {
    const value = given(name)
    if (value !== undefined) env[name] = value
  }
  for (const name of certificateVariables) if (given(name) !== undefined) env[name] = certificatesInImage
  const files: { path: string; content: Buffer }[] = []
  const certificates = [...certificateVariables.map(given), certificatesInImage].find(isFile)
  if (certificates !== undefined)
    files.push({ path: certificatesInImage.slice(1), content: readFileSync(certificates) })
  const pipFiles = [given('PIP_CONFIG_FILE'), '/etc/pip.conf', join(homedir(), '.config', 'pip', 'pip.conf')]
  const pipFile = pipFiles.find(isFile)
  const pipText = pipFile === undefined ? '' : readFileSync(pipFile, 'utf8')
  if (pipFile !== undefined) {
    const text = certificates === undefined ? pipText : pipText.replaceAll(certificates, certificatesInImage)
    files.push({ path: 'etc/pip.conf', content: Buffer.from(text) })
  }
  // uv reads none of pip's settings.
  const index = env.UV_DEFAULT_INDEX ?? env.PIP_INDEX_URL ?? pipSetting(pipText, 'index-url')
  if (index !== undefined) env.UV_DEFAULT_INDEX = index
  const extra = env.UV_INDEX ?? env.PIP_EXTRA_INDEX_URL ?? pipSetting(pipText, 'extra-index-url')
  if (extra !== undefined) env.UV_INDEX = extra
  if (env.PIP_DEFAULT_TIMEOUT !== undefined) env.UV_HTTP_TIMEOUT = env.PIP_DEFAULT_TIMEOUT
  return { files, env, certificates }
}

function pipSetting(text: string, name: string): string | undefined {
  for (const line of text.split('\n')) {
    const [key, ...value] = line.split('=')
    if (key?.trim() === name) return value.join('=').trim()
  }
  return undefined
}

function isFile(path: string | undefined): path is string {
  return path !== undefined && existsSync(path)
}
