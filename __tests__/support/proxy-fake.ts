import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface ProxyFake {
  /** As `HTTPS_PROXY` has it. */
  readonly url: string
  /** `CONNECT host:port` or `GET http://…` of each request, with the proxy login that came along. */
  readonly seen: readonly { readonly line: string; readonly login: string }[]
  close(): Promise<void>
}

/**
 * A forward proxy on loopback that takes every name for one target.
 * @param target `127.0.0.1:port`
 */
export async function startProxyFake(target: string, refuse?: 407 | 502): Promise<ProxyFake> {
  const [host = '', port] = target.split(':')
  const seen: { line: string; login: string }[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage) => {
    seen.push({ line: `${method} ${url}`, login: headers['proxy-authorization'] ?? '' })
  }

  const server = createServer((incoming: IncomingMessage, response: ServerResponse) => {
    note(incoming)
    const { pathname, search } = new URL(incoming.url ?? '/', 'http://x')
    const { method, headers } = incoming
    const onward = forward({ host, port, method, path: pathname + search, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  })
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    note(incoming)
    if (refuse !== undefined) return client.end(`HTTP/1.1 ${refuse} No\r\n\r\n`)
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client)
      client.pipe(upstream)
    })
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.on('close', () => upstream.destroy())
    return undefined
  })
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    seen,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
