import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runningDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { ensureTool } from './ensure-tool.ts'
import { freePort } from './free-port.ts'

const name = 's3'

/** The one bucket that it has from the start. */
export const S3_BUCKET = 'image-cache'

/** A server with the protocol of S3: an address and a login, made anew with each state folder. */
export interface S3Server {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string
  readonly access: string
  readonly secret: string
}

/** Starts the S3 server unless it runs; its objects are files below the state folder. */
export async function startS3(stateDir: string, log: (line: string) => void = () => undefined): Promise<S3Server> {
  const running = await runningS3(stateDir)
  if (running !== undefined) return running
  const command = await ensureTool('versitygw', log)
  const storage = join(stateDir, 's3')
  await mkdir(join(storage, S3_BUCKET), { recursive: true })
  await mkdir(join(stateDir, 's3-logins'), { recursive: true })
  const address = `127.0.0.1:${await freePort(0)}`
  const server = { endpoint: `http://${address}`, access: randomName(), secret: randomName() }
  await startDaemon({
    name,
    stateDir,
    command,
    args: ['--port', address, '--iam-dir', join(stateDir, 's3-logins'), 'posix', storage],
    env: { ROOT_ACCESS_KEY: server.access, ROOT_SECRET_KEY: server.secret },
    isReady: () => answers(server.endpoint),
  })
  await writeFile(serverFile(stateDir), JSON.stringify(server), { mode: 0o600 })
  return server
}

/** The S3 server that runs from this state folder, or undefined. */
export async function runningS3(stateDir: string): Promise<S3Server | undefined> {
  if ((await runningDaemon(stateDir, name)) === undefined) return undefined
  const server: unknown = JSON.parse(await readFile(serverFile(stateDir), 'utf8').catch(() => '{}'))
  if (typeof server !== 'object' || server === null) return undefined
  if (!('endpoint' in server) || !('access' in server) || !('secret' in server)) return undefined
  const { endpoint, access, secret } = server
  if (typeof endpoint !== 'string' || typeof access !== 'string' || typeof secret !== 'string') return undefined
  return { endpoint, access, secret }
}

/** Variables by which AWS tools, and our store, find the server's login. */
export function s3Env({ access, secret }: S3Server): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION: 'us-east-1' }
}

/** Stops the server and deletes its objects; answers false when it wasn't running. */
export async function stopS3(stateDir: string): Promise<boolean> {
  const wasRunning = await stopDaemon(stateDir, name)
  for (const left of ['s3', 's3-logins']) await rm(join(stateDir, left), { recursive: true, force: true })
  await rm(serverFile(stateDir), { force: true })
  return wasRunning
}

function serverFile(stateDir: string): string {
  return join(stateDir, 's3.json')
}

function randomName(): string {
  return randomBytes(16).toString('hex')
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint)
    await response.arrayBuffer()
    return true
  } catch {
    return false
  }
}
