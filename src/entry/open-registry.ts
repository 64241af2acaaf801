import { join } from 'node:path'
import type { Exec } from '../exec/exec.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import { dockerCredentials } from '../registry/credentials.ts'
import { DOCKER_CERTIFICATE_FOLDERS, dockerCertificates } from '../registry/docker-certificates.ts'
import { HttpRegistry } from '../registry/http-registry.ts'
import type { Registry } from '../registry/registry.ts'

/** What a client of registries finds its logins in. */
export interface OpenRegistryOptions {
  /** `DOCKER_CONFIG`, `DOCKER_AUTH_CONFIG`, `HOME`, proxies; the variables of the process when not given. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Hosts with their port that are spoken to in plain HTTP, besides loopback addresses. */
  readonly plainHttp?: readonly string[]
  /** Runs the helpers that keep logins. */
  readonly exec?: Exec
  /** Ends every request under way. */
  readonly signal?: AbortSignal | undefined
  /** Called when a request has gone out and its answer is waited for. */
  readonly onWaiting?: (() => void) | undefined
}

/**
 * A client of all registries, with the logins, certificates and proxies of this machine. Connections are shared by all
 * who share the client, and logins are asked for only once a registry has refused.
 * @param options what differs from the process's own surroundings
 */
export function openRegistry(options: OpenRegistryOptions = {}): Registry {
  const { env = process.env, exec = new SpawnExec(), plainHttp = [], signal, onWaiting } = options
  const configFile = join(env.DOCKER_CONFIG || join(env.HOME ?? '', '.docker'), 'config.json')
  return new HttpRegistry({
    credentials: dockerCredentials({ configFile, authConfig: env.DOCKER_AUTH_CONFIG, exec }),
    certificates: dockerCertificates(DOCKER_CERTIFICATE_FOLDERS),
    proxies: env,
    plainHttp,
    ...(signal === undefined ? {} : { signal }),
    ...(onWaiting === undefined ? {} : { onWaiting }),
  })
}
