/** `auto` takes GitHub's cache inside an action, the local folder anywhere else. */
export type StoreKind = 'auto' | 'actions' | 'local' | 'off'

/** An S3 bucket, or one of another service with the same protocol. */
export interface S3Setting {
  readonly kind: 's3'
  readonly bucket: string
  /** Folder in the bucket, without slashes at its ends; may be empty. */
  readonly prefix: string
  /** Address of the service; undefined means AWS. */
  readonly endpoint: string | undefined
  readonly region: string | undefined
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  readonly pathStyle: boolean
}

/** A folder on this machine in front of a store that others see. */
export interface LayeredSetting {
  readonly kind: 'layered'
  readonly remote: 'actions' | S3Setting
}

/** Where entries are kept, as the input `store` says it. */
export type StoreSetting = StoreKind | S3Setting | LayeredSetting

const PARAMETERS = ['endpoint', 'region', 'path-style']

/**
 * Reads `auto`, `actions`, `local`, `off`, `s3://bucket/prefix?endpoint=…&region=…&path-style=true`, or a remote store
 * behind a local folder: `local+actions`, `local+s3://…`.
 * @returns a text that says what is wrong, to stand behind the quoted value
 */
export function parseStoreSetting(text: string): StoreSetting | { readonly wrong: string } {
  if (text === 'auto' || text === 'actions' || text === 'local' || text === 'off') return text
  if (text === 'local+actions') return { kind: 'layered', remote: 'actions' }
  if (text.startsWith('s3://')) return parseS3(text)
  if (text.startsWith('local+s3://')) {
    const remote = parseS3(text.slice('local+'.length))
    return 'wrong' in remote ? remote : { kind: 'layered', remote }
  }
  return {
    wrong: 'is not one of auto, actions, local, off, s3://bucket/prefix, local+actions, local+s3://bucket/prefix',
  }
}

/** The text that `parseStoreSetting` reads as the same setting. */
export function formatStoreSetting(setting: StoreSetting): string {
  if (typeof setting === 'string') return setting
  if (setting.kind === 'layered')
    return `local+${setting.remote === 'actions' ? 'actions' : formatStoreSetting(setting.remote)}`
  const { bucket, prefix, endpoint, region, pathStyle } = setting
  const parameters = new URLSearchParams({ 'path-style': String(pathStyle) })
  if (endpoint !== undefined) parameters.set('endpoint', endpoint)
  if (region !== undefined) parameters.set('region', region)
  return `s3://${bucket}/${prefix}?${parameters}`
}

function parseS3(text: string): S3Setting | { readonly wrong: string } {
  if (!URL.canParse(text)) return { wrong: 'is not an address such as s3://bucket/prefix' }
  const { hostname, pathname, searchParams, username, password, hash, port } = new URL(text)
  // Logins come from where the AWS tools take them, never from an input that is shown.
  if (username !== '' || password !== '') return { wrong: 'holds a login: give it as AWS tools take it' }
  if (hash !== '' || port !== '') return { wrong: 'has a part that an s3:// address has not: see docs/stores.md' }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(hostname)) return { wrong: 'names no bucket' }
  const unknown = [...searchParams.keys()].find((name) => !PARAMETERS.includes(name))
  if (unknown !== undefined)
    return { wrong: `has a parameter "${unknown}" that is not one of ${PARAMETERS.join(', ')}` }
  const prefix = pathname.replace(/^\/+|\/+$/g, '')
  if (!/^[A-Za-z0-9._/-]{0,200}$/.test(prefix))
    return { wrong: 'has a prefix with other characters than A-Z a-z 0-9 . _ / -' }
  const endpoint = searchParams.get('endpoint') || undefined
  if (endpoint !== undefined && !/^https?:\/\/[^/@?#]+\/?$/.test(endpoint))
    return { wrong: 'has an endpoint that is not an address such as https://s3.example.com' }
  const pathStyle = searchParams.get('path-style')
  if (pathStyle !== null && pathStyle !== 'true' && pathStyle !== 'false')
    return { wrong: 'has a path-style that is not true or false' }
  return {
    kind: 's3',
    bucket: hostname,
    prefix,
    endpoint,
    region: searchParams.get('region') || undefined,
    // Most services behind an endpoint of their own know no host name for each bucket.
    pathStyle: pathStyle === null ? endpoint !== undefined : pathStyle === 'true',
  }
}
