import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import type { Connections } from './connections.ts'
import { HttpHeaders } from './http-headers.ts'

/** A body of known length that is made while it is sent. */
export interface StreamedBody {
  /** In bytes. */
  readonly size: number
  /** Called for each time that the body is sent. */
  open(): Promise<Readable>
}

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | StreamedBody | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: HttpHeaders
  readonly stream: IncomingMessage
}

/** Who wants to know how far a request is. */
export interface ExchangeWatch {
  /** Called whenever bytes of the body have gone out. */
  readonly onProgress: () => void
  /** Called when all of the request has gone out. */
  readonly onSent?: (() => void) | undefined
}

/**
 * Sends one request, neither followed nor tried again, and answers as soon as the head of the answer is there. The
 * stream must be read to its end or destroyed.
 * @param signal ends the exchange at any time, also while the answer is read
 * @throws whatever broke: a system error, the signal's reason, or what the body's own stream threw
 */
export async function exchange(
  request: HttpRequest,
  connections: Connections,
  signal: AbortSignal,
  { onProgress, onSent }: ExchangeWatch,
): Promise<HttpAnswer> {
  const { method, url, headers, body } = request
  const agent = await connections.agentFor(url)
  const source = body !== undefined && 'open' in body ? await body.open() : undefined
  try {
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const outgoing = send(url, { method, agent, signal, headers: { ...headers, ...lengthOf(method, body) } })
      outgoing.on('error', reject)
      if (onSent !== undefined) outgoing.once('finish', onSent)
      outgoing.once('response', (incoming) => {
        // An answer may come before the body has gone out, such as a refusal: the rest needn't go.
        incoming.once('close', () => {
          if (!outgoing.writableFinished) outgoing.destroy()
        })
        resolve({
          status: incoming.statusCode ?? 0,
          headers: new HttpHeaders(incoming.headersDistinct),
          stream: incoming,
        })
      })
      if (source === undefined) {
        outgoing.end(body !== undefined && 'open' in body ? undefined : body)
        return
      }
      source.on('data', onProgress)
      pipeline(source, outgoing, (error) => {
        if (error) reject(error)
      })
    })
  } catch (error) {
    source?.destroy()
    throw signal.aborted ? signal.reason : error
  }
}

function lengthOf(method: string, body: Uint8Array | StreamedBody | undefined): Readonly<Record<string, string>> {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': '0' }
  return { 'content-length': String('open' in body ? body.size : body.length) }
}
