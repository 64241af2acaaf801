import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An HTTP status; `reset`: the connection breaks before an answer; `cut-off`: in its middle; `corrupt`: a byte of the
 * answer is changed; `lost`: it is done, but the answer doesn't arrive; `hang`: no answer at all.
 */
export type ProxyFault = number | 'reset' | 'cut-off' | 'corrupt' | 'lost' | 'hang'

/** A proxy in front of a service on the loopback interface, which counts requests and spoils answers. */
export interface FaultProxy {
  readonly url: string
  /** The next requests that match fail in this way; without `times`, all of them. */
  fail(matches: (request: IncomingMessage) => boolean, fault: ProxyFault, times?: number): void
  /** Requests so far: `GET /path`. */
  requests(): readonly string[]
  /** Forgets faults and requests. */
  reset(): void
  close(): Promise<void>
}

interface PlannedFault {
  readonly matches: (request: IncomingMessage) => boolean
  readonly fault: ProxyFault
  left: number
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const faults: PlannedFault[] = []
  const requests: string[] = []

  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`)
    const planned = faults.find(({ matches, left }) => left > 0 && matches(incoming))
    if (planned !== undefined) planned.left -= 1
    serve(incoming, outgoing, planned?.fault)
  })

  function serve(incoming: IncomingMessage, outgoing: ServerResponse, fault: ProxyFault | undefined): void {
    if (fault === 'hang') return void incoming.resume()
    if (fault === 'reset') return void incoming.socket.destroy()
    if (typeof fault === 'number') {
      incoming.resume()
      // The client may not be ready for an answer before it has sent all.
      return void incoming.on('end', () => outgoing.writeHead(fault).end())
    }
    const { method, headers, url = '/' } = incoming
    const forwarded = request(new URL(url, target), { method, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => send(outgoing, answer, Buffer.concat(chunks), fault))
    })
    forwarded.on('error', () => incoming.socket.destroy())
    incoming.pipe(forwarded)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    fail: (matches, fault, times = Number.POSITIVE_INFINITY) => faults.push({ matches, fault, left: times }),
    requests: () => [...requests],
    reset: () => {
      faults.length = 0
      requests.length = 0
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function send(outgoing: ServerResponse, answer: IncomingMessage, body: Buffer, fault: ProxyFault | undefined): void {
  if (fault === 'lost') return void outgoing.socket?.destroy()
  if (fault === 'corrupt' && body.length > 0) body.writeUInt8(body.readUInt8(body.length >> 1) ^ 0xff, body.length >> 1)
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
  if (fault === 'cut-off') outgoing.write(body.subarray(0, body.length >> 1), () => outgoing.socket?.destroy())
  else outgoing.end(body)
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return address.port
}
