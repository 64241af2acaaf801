import { createHash } from 'node:crypto'

/**
 * Orders endpoints for an image by rendezvous hashing: the same image asks the same endpoint first as long as that is
 * in the list, and when one is lost only its own images go elsewhere.
 * @param key what is built: repository and platforms
 */
export function rankEndpoints(endpoints: readonly string[], key: string): readonly string[] {
  const weight = (endpoint: string): string => createHash('sha256').update(`${endpoint}\0${key}`).digest('hex')
  return endpoints
    .map((endpoint) => ({ endpoint, weight: weight(endpoint) }))
    .sort((a, b) => (a.weight < b.weight ? 1 : -1))
    .map(({ endpoint }) => endpoint)
}
