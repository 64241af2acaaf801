/**
 * Runs the emulator of the cache service as a program: `node cache-service-main.ts [--port N] [--latency MS]`.
 * Prints one line of JSON, `{ url, token, env }`, when it is ready, and ends with SIGTERM or SIGINT.
 */
import { parseArgs } from 'node:util'
import { startCacheService } from './cache-service.ts'

const { values } = parseArgs({ options: { port: { type: 'string' }, latency: { type: 'string' } } })

const service = await startCacheService({ port: Number(values.port ?? 0), latency: Number(values.latency ?? 0) })
const env = service.env()
process.stdout.write(`${JSON.stringify({ url: service.url, token: env.ACTIONS_RUNTIME_TOKEN, env })}\n`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    service.close().then(() => process.exit(0))
  })
}
