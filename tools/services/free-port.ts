import { createServer } from 'node:net'
import { ServiceError } from './service-error.ts'

/** The port that is wanted if it is free on the loopback interface, else any that is. */
export async function freePort(wanted: number): Promise<number> {
  const port = await listenOnce(wanted)
  return port ?? (await listenOnce(0)) ?? fail()
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}

function fail(): never {
  throw new ServiceError('No port is free on 127.0.0.1: end a program that listens there and try again.')
}
