import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { hash } from 'bcryptjs'

const BINARY = join(homedir(), '.cache', 'image-cache-action', 'tools', 'registry-v3.1.2')

export type RealAuth =
  | { readonly kind: 'htpasswd'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'token'
      readonly realm: string
      readonly service: string
      readonly issuer: string
      readonly jwks: string
    }

export interface RealRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string
  stop(): Promise<void>
}

/** Starts distribution's registry on loopback, on a folder of its own. Stop it at the end of the tests. */
export async function startRealRegistry(auth?: RealAuth): Promise<RealRegistry> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run "npm run services -- up" once`)
  const folder = await mkdtemp(join(tmpdir(), 'registry-itg-'))
  const host = `127.0.0.1:${await freePort()}`
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    ...(await authSettings(auth, folder)),
  }
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(settings))
  const server = spawn(BINARY, ['serve', join(folder, 'config.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  for (let n = 0; n < 200 && !(await answers(host)); n += 1) await pause(50)
  return { host, stop: () => stop(server, folder) }
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill()
  await ended
  await rm(folder, { recursive: true })
}

async function authSettings(auth: RealAuth | undefined, folder: string): Promise<object> {
  switch (auth?.kind) {
    case undefined:
      return {}
    case 'htpasswd': {
      const path = join(folder, 'htpasswd')
      await writeFile(path, `${auth.username}:${await hash(auth.password, 4)}\n`)
      return { auth: { htpasswd: { realm: 'test', path } } }
    }
    case 'token': {
      const jwks = join(folder, 'jwks.json')
      await writeFile(jwks, auth.jwks)
      return { auth: { token: { realm: auth.realm, service: auth.service, issuer: auth.issuer, jwks } } }
    }
  }
}

async function answers(host: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).status < 500
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
