import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runningDaemon, startDaemon, stopDaemon } from './daemon.ts'
import { ensureTool } from './ensure-tool.ts'
import { freePort } from './free-port.ts'

const name = 'registry'

export interface RegistryOptions {
  readonly stateDir: string
  /** The port that is wanted; another one is taken when it is in use. 0 takes any free one. */
  readonly port: number
  readonly log: (line: string) => void
}

/** Starts the registry unless it runs; answers `127.0.0.1:PORT`. The port of the last time is taken again when it is free. */
export async function startRegistry(options: RegistryOptions): Promise<string> {
  const { stateDir } = options
  const running = await runningRegistry(stateDir)
  if (running !== undefined) return running
  const command = await ensureTool('registry', options.log)
  const storage = join(stateDir, 'registry')
  await mkdir(storage, { recursive: true })
  const remembered = Number((await readFile(addressFile(stateDir), 'utf8').catch(() => '')).split(':')[1] ?? '0')
  let failure: unknown
  for (const wanted of [remembered || options.port, 0, 0]) {
    const address = `127.0.0.1:${await freePort(wanted)}`
    const config = join(stateDir, 'registry.yml')
    await writeFile(config, registryConfig(address, storage))
    try {
      await startDaemon({
        name,
        stateDir,
        command,
        args: ['serve', config],
        // Without this it tries to send traces to a collector that isn't there.
        env: { OTEL_TRACES_EXPORTER: 'none' },
        isReady: () => answers(address),
      })
      await writeFile(addressFile(stateDir), address)
      return address
    } catch (error) {
      // Somebody else may have taken the port in between.
      failure = error
    }
  }
  throw failure
}

/** The address of the registry that runs from this state folder, or undefined. */
export async function runningRegistry(stateDir: string): Promise<string | undefined> {
  if ((await runningDaemon(stateDir, name)) === undefined) return undefined
  const address = await readFile(addressFile(stateDir), 'utf8').catch(() => '')
  return address === '' ? undefined : address
}

/** Stops the registry; answers false when it wasn't running. Its storage stays. */
export async function stopRegistry(stateDir: string): Promise<boolean> {
  return await stopDaemon(stateDir, name)
}

/** Deletes all that was pushed; the registry must not run. */
export async function removeRegistryStorage(stateDir: string): Promise<void> {
  await rm(join(stateDir, 'registry'), { recursive: true, force: true })
}

function addressFile(stateDir: string): string {
  return join(stateDir, 'registry.address')
}

function registryConfig(address: string, storage: string): string {
  // Relative upload addresses lead back to whoever asked, so that a proxy in front sees all of an upload.
  return [
    'version: 0.1',
    'log:',
    '  level: warn',
    '  accesslog:',
    '    disabled: true',
    'storage:',
    '  filesystem:',
    `    rootdirectory: ${JSON.stringify(storage)}`,
    '  delete:',
    '    enabled: true',
    '  maintenance:',
    '    uploadpurging:',
    '      enabled: false',
    'http:',
    `  addr: ${address}`,
    '  relativeurls: true',
    `  secret: ${randomUUID()}`,
    '',
  ].join('\n')
}

async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/v2/`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
