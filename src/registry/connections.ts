import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { getCACertificates } from 'node:tls'

/** What is trusted and shown at one host, beside what Node trusts anyway. All in PEM. */
export interface HostCertificates {
  readonly ca: readonly string[]
  /** Shown to a server that asks who we are. */
  readonly client?: { readonly cert: string; readonly key: string }
}

/** Where certificates for a host come from. */
export interface CertificateSource {
  /** @param host with its port where the address has one: `registry.example:5000` */
  certificatesFor(host: string): Promise<HostCertificates | undefined>
}

export interface ConnectionOptions {
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in lower case, too. Without it all is direct; loopback always is. */
  readonly proxies?: Readonly<Record<string, string | undefined>>
  readonly certificates?: CertificateSource
}

/** Open sockets that a registry may have from us, in use or kept for the next request. */
export const CONNECTIONS_PER_HOST = 8

/** The sockets: kept open between requests, through proxies where the environment names them. Idle ones hold no process. */
export class Connections {
  readonly #options: ConnectionOptions
  readonly #agents = new Map<string, Promise<HttpAgent>>()
  /** Origins for which the certificates of the operating system count, too. */
  readonly #systemTrusted = new Set<string>()

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  agentFor(url: URL): Promise<HttpAgent> {
    const agent = this.#agents.get(url.origin) ?? this.#open(url)
    this.#agents.set(url.origin, agent)
    return agent
  }

  /**
   * Also trusts what the operating system trusts: Docker does, Node doesn't unless told to. Only asked after a
   * certificate was refused, because reading the system's store takes time.
   * @returns false when that was done before
   */
  trustSystem(url: URL): boolean {
    if (url.protocol !== 'https:' || this.#systemTrusted.has(url.origin)) return false
    this.#systemTrusted.add(url.origin)
    this.#agents.delete(url.origin)
    return true
  }

  async #open(url: URL): Promise<HttpAgent> {
    const kept = { keepAlive: true, maxSockets: CONNECTIONS_PER_HOST, maxFreeSockets: CONNECTIONS_PER_HOST }
    const { proxies, certificates } = this.#options
    // As Docker has it (Go, `http.ProxyFromEnvironment`): this machine itself is never behind a proxy.
    const proxied = proxies === undefined || isLoopback(url.host) ? {} : { proxyEnv: { ...proxies } }
    if (url.protocol !== 'https:') return new HttpAgent({ ...kept, ...proxied })

    const own = await certificates?.certificatesFor(url.host)
    const system = this.#systemTrusted.has(url.origin) ? getCACertificates('system') : []
    const extra = [...(own?.ca ?? []), ...system]
    // A `ca` of our own takes the place of Node's list, so that goes along.
    const trusted = extra.length === 0 ? {} : { ca: [...getCACertificates('default'), ...extra] }
    return new HttpsAgent({ ...kept, ...proxied, ...trusted, ...own?.client })
  }
}

/** Whether a registry is this machine: the only hosts that plain http is fit for without asking. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '').toLowerCase()
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
