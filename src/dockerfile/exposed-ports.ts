/**
 * Reads the words of EXPOSE: `8000`, `53/udp`, `8000-8002/TCP`.
 * @returns `8000/tcp` and so on, or a sentence when a word is not understood (addresses and ports of the host are not).
 */
export function readPorts(words: readonly string[]): readonly string[] | string {
  const ports: string[] = []
  for (const word of words) {
    const [, from = '', to = from, protocol = 'tcp'] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w*))?$/.exec(word) ?? []
    const first = Number(from)
    const last = Number(to)
    const name = protocol.toLowerCase() || 'tcp'
    if (from === '' || last < first || last > 65535 || !['tcp', 'udp', 'sctp'].includes(name)) {
      return `the port ${word} is not understood`
    }
    for (let port = first; port <= last; port++) ports.push(`${port}/${name}`)
  }
  return ports
}
