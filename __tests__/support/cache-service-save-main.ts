/**
 * A job of its own that saves one entry: `node cache-service-save-main.ts <key> <body>`, in a workspace of its own and
 * with the runner's environment. Prints the store's answer as JSON.
 */
import { openStore } from '../../src/stores/open-store.ts'

const [, , key = '', body = ''] = process.argv

const { store } = openStore({ kind: 'actions', env: process.env })
const answer = await store.save(key, Buffer.from(body))
process.stdout.write(`${JSON.stringify(answer)}\n`)
