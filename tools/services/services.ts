import { parseArgs } from 'node:util'
import { baseImages } from './base-images.ts'
import type { BuildkitVersion } from './builder-daemon.ts'
import { cacheServiceEnv, startCacheServiceDaemon } from './cache-service-daemon.ts'
import { defaultStateDir } from './locations.ts'
import { runningS3, S3_BUCKET, s3Env, startS3 } from './s3-daemon.ts'
import { ServiceError } from './service-error.ts'
import { servicesStatus, startServices, stopServices } from './service-set.ts'

const usage = `Usage: npm run services -- <command>

  up [--buildkit v0.27.1] [--s3]
                            start a registry with base images, a builder, a stand-in for GitHub's cache service, and
                            with --s3 an S3 server
  status                    say what runs and how to build with it
  env [--buildkit v0.27.1]  print the variables to be set: eval "$(npm run --silent services -- env)"
  down                      stop what was started and delete what it stored

Where a Docker engine works, none of this is needed: docker buildx create --use --driver-opt network=host does.
IMAGE_CACHE_STATE names another state folder, IMAGE_CACHE_HOME another folder for built tools and base images.`

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isOurs = error instanceof ServiceError
  console.error(isOurs ? error.message : error)
  if (isOurs && error.cause instanceof Error) console.error(error.cause.message)
  process.exitCode = 1
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(argv)
  const buildkit = buildkitVersion(values.buildkit)
  const [command] = positionals
  if (values.help || command === undefined) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if (command === 'up') return await up(buildkit, values.s3 === true)
  if (command === 'status') return await status()
  if (command === 'env') return await printEnv(buildkit)
  if (command === 'down') return await down()
  throw new ServiceError(`"${command}" is not one of up, status, env, down: see npm run services -- --help.`)
}

function readArguments(argv: readonly string[]) {
  try {
    const options = {
      buildkit: { type: 'string' },
      s3: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new ServiceError(`${message}: see npm run services -- --help.`)
  }
}

function buildkitVersion(text: string | undefined): BuildkitVersion {
  if (text === undefined || text === 'v0.33.1') return 'v0.33.1'
  if (text === 'v0.27.1') return text
  throw new ServiceError(`--buildkit: "${text}" is not one of v0.33.1, v0.27.1.`)
}

async function up(buildkit: BuildkitVersion, withS3: boolean): Promise<number> {
  const log = (line: string) => console.log(line)
  const before = await servicesStatus()
  const ran = before.registry !== undefined && before.builders.some((one) => one.version === buildkit && one.running)
  const set = await startServices({ buildkit, registryPort: 5000, log })
  const images = await baseImages(set.registry, log)
  await startCacheServiceDaemon(set.stateDir)
  if (withS3) await startS3(set.stateDir, log)
  console.log(ran ? 'Already up:' : 'Up:')
  console.log(`  base images: ${images.python}, ${images.pythonPatched}, ${images.installer}`)
  return await status()
}

async function status(): Promise<number> {
  const { registry, builders } = await servicesStatus()
  console.log(`  registry: ${registry === undefined ? 'not running' : `http://${registry}`}`)
  for (const { version, running, env } of builders) {
    console.log(`  buildkitd ${version}: ${running ? `builder ${env.BUILDX_BUILDER}` : 'not running'}`)
  }
  const cache = await cacheServiceEnv(defaultStateDir())
  console.log(`  GitHub's cache service: ${cache === undefined ? 'not running' : (cache.ACTIONS_RESULTS_URL ?? '')}`)
  const s3 = await runningS3(defaultStateDir())
  console.log(`  S3: ${s3 === undefined ? 'not running' : `store s3://${S3_BUCKET}?endpoint=${s3.endpoint}`}`)
  const isUp = registry !== undefined && builders.some((builder) => builder.running)
  if (isUp) {
    console.log(`  logs: ${defaultStateDir()}/logs`)
    console.log('  to build with it: eval "$(npm run --silent services -- env)"')
    console.log(
      `    then: buildx build --build-context python:3.11-slim=docker-image://${registry}/base/python:3.11-slim --push --tag ${registry}/app .`,
    )
  }
  return 0
}

async function printEnv(buildkit: BuildkitVersion): Promise<number> {
  const { builders, registry = '' } = await servicesStatus()
  const builder = builders.find((one) => one.version === buildkit)
  if (builder === undefined || !builder.running) {
    throw new ServiceError(`buildkitd ${buildkit} isn't running: start it with npm run services -- up.`)
  }
  const cache = (await cacheServiceEnv(defaultStateDir())) ?? {}
  const s3 = await runningS3(defaultStateDir())
  const login = s3 === undefined ? {} : s3Env(s3)
  for (const [name, value] of Object.entries({ ...builder.env, REGISTRY: registry, ...cache, ...login }))
    console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`)
  return 0
}

async function down(): Promise<number> {
  const stopped = await stopServices()
  console.log(stopped.length === 0 ? 'Nothing was running.' : `Stopped: ${stopped.join(', ')}.`)
  return 0
}
