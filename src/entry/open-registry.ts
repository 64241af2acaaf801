import { join } from 'node:path'
import type { Exec } from '../exec/exec.ts'
import { dockerCredentials } from '../registry/credentials.ts'
import { DOCKER_CERTIFICATE_FOLDERS, dockerCertificates } from '../registry/docker-certificates.ts'
import { HttpRegistry } from '../registry/http-registry.ts'

export interface OpenRegistryOptions {
  /** The environment of the process: `DOCKER_CONFIG`, `DOCKER_AUTH_CONFIG`, `HOME`, proxies. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly exec: Exec
  readonly signal?: AbortSignal | undefined
  /** Called when a request has gone out and its answer is waited for. */
  readonly onWaiting?: (() => void) | undefined
}

/** A registry client with the logins, certificates and proxies of this machine. */
export function openRegistry({ env, exec, signal, onWaiting }: OpenRegistryOptions): HttpRegistry {
  const configFile = join(env.DOCKER_CONFIG || join(env.HOME ?? '', '.docker'), 'config.json')
  return new HttpRegistry({
    credentials: dockerCredentials({ configFile, authConfig: env.DOCKER_AUTH_CONFIG, exec }),
    certificates: dockerCertificates(DOCKER_CERTIFICATE_FOLDERS),
    proxies: env,
    ...(signal === undefined ? {} : { signal }),
    ...(onWaiting === undefined ? {} : { onWaiting }),
  })
}
