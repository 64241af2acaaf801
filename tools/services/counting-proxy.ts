import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from './service-error.ts'
import { TrafficCount, type TrafficSnapshot } from './traffic-count.ts'

export type { Traffic, TrafficEntry, TrafficSnapshot } from './traffic-count.ts'

/** An answer given in the registry's place. */
export interface StandInAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface CountingProxyOptions {
  /** Waits so long before each request is passed on. */
  readonly latencyMs?: number
  /** At most so many body bytes a second for each connection, each way. */
  readonly bytesPerSecond?: number
  /** Answers a request in the registry's place (a fault on demand); `reset` cuts the connection, `hang` never answers. */
  readonly standIn?: (method: string, path: string) => StandInAnswer | 'reset' | 'hang' | undefined
}

export interface CountingProxy {
  /** `127.0.0.1:PORT`: to be used in references in the registry's place. */
  readonly registry: string
  /** What went through since the start or the last reset; bodies that are still under way count as far as they came. */
  snapshot(): TrafficSnapshot
  reset(): void
  stop(): Promise<void>
}

/**
 * A loopback proxy in front of a registry that changes nothing and counts everything.
 * @param target the registry, `127.0.0.1:PORT`
 */
export async function countingProxy(target: string, options: CountingProxyOptions = {}): Promise<CountingProxy> {
  const count = new TrafficCount()
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    forward(request, response, { target, options, count, agent }).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new ServiceError('The proxy has no port: try again.')
  return {
    registry: `127.0.0.1:${address.port}`,
    snapshot: () => count.snapshot(),
    reset: () => count.reset(),
    stop: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Way {
  readonly target: string
  readonly options: CountingProxyOptions
  readonly count: TrafficCount
  readonly agent: Agent
}

async function forward(request: IncomingMessage, response: ServerResponse, way: Way): Promise<void> {
  const { options } = way
  const method = request.method ?? 'GET'
  const path = request.url ?? '/'
  const counted = way.count.begin(method, path)
  if (options.latencyMs !== undefined && options.latencyMs > 0) await sleep(options.latencyMs)
  const standIn = options.standIn?.(method, path)
  if (standIn === 'reset') {
    request.socket.destroy()
    return
  }
  if (standIn === 'hang') {
    request.resume()
    return
  }
  if (standIn !== undefined) {
    counted.status(standIn.status)
    request.resume()
    const body = standIn.body ?? ''
    counted.pulled(Buffer.byteLength(body))
    response.writeHead(standIn.status, { ...standIn.headers }).end(method === 'HEAD' ? undefined : body)
    return
  }
  const [host, port] = way.target.split(':')
  // The Host header stays as it came, so that the registry's addresses lead back here.
  const onward = httpRequest({ host, port: Number(port), method, path, headers: request.headers, agent: way.agent })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  onward.on('response', (answer) => {
    counted.status(answer.statusCode ?? 0)
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(meter(counted.pulled, options.bytesPerSecond)).pipe(response)
    answer.on('error', () => response.destroy())
  })
  request.pipe(meter(counted.pushed, options.bytesPerSecond)).pipe(onward)
}

function meter(add: (bytes: number) => void, bytesPerSecond: number | undefined): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      add(chunk.length)
      if (bytesPerSecond === undefined) done(null, chunk)
      else setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000)
    },
  })
}
