import { connect, createServer, type Socket } from 'node:net'

/**
 * A way to a registry over one link: what all connections send together goes no faster than the link. Waiting lines are
 * short, so that they slow each other down as on a real uplink.
 * @param target `127.0.0.1:PORT`
 * @param bytesPerSecond towards the registry; what comes back is not slowed
 */
export async function startSharedLink(
  target: string,
  bytesPerSecond: number,
): Promise<{ readonly registry: string; stop(): Promise<void> }> {
  const [host, port] = target.split(':')
  const sockets = new Set<Socket>()
  let freeAt = 0
  const server = createServer((incoming) => {
    const outgoing = connect({ host, port: Number(port) })
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => [incoming, outgoing].forEach((one) => void one.destroy()))
    }
    incoming.on('data', (chunk: Buffer) => {
      incoming.pause()
      const now = performance.now()
      freeAt = Math.max(freeAt, now) + (chunk.length / bytesPerSecond) * 1000
      setTimeout(() => {
        outgoing.write(chunk)
        incoming.resume()
      }, freeAt - now)
    })
    incoming.on('end', () => setTimeout(() => outgoing.end(), Math.max(0, freeAt - performance.now())))
    outgoing.pipe(incoming)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the link has no port')
  return {
    registry: `127.0.0.1:${address.port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
