import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { withFileLock } from './file-lock.ts'
import { findProgram } from './find-program.ts'
import { cacheHome, toolsFolder } from './locations.ts'
import { runProgram } from './run-program.ts'
import { ServiceError } from './service-error.ts'

export type ToolName = 'registry' | 'buildkitd' | 'buildkitd-v0.27' | 'buildx' | 'act' | 'actionlint' | 'versitygw'

interface Tool {
  readonly program: string
  /** The Go module whose version in go.mod is the tool's version. */
  readonly module: string
  readonly command: string
  /** The variable that carries the version; without it buildx and the daemon report none. */
  readonly versionVariable: string
}

const buildkitd: Tool = {
  program: 'buildkitd',
  module: 'github.com/moby/buildkit',
  command: 'github.com/moby/buildkit/cmd/buildkitd',
  versionVariable: 'github.com/moby/buildkit/version.Version',
}

const tools: Readonly<Record<ToolName, Tool>> = {
  registry: {
    program: 'registry',
    module: 'github.com/distribution/distribution/v3',
    command: 'github.com/distribution/distribution/v3/cmd/registry',
    versionVariable: 'github.com/distribution/distribution/v3/version.version',
  },
  buildkitd,
  'buildkitd-v0.27': buildkitd,
  buildx: {
    program: 'buildx',
    module: 'github.com/docker/buildx',
    command: 'github.com/docker/buildx/cmd/buildx',
    versionVariable: 'github.com/docker/buildx/version.Version',
  },
  act: {
    program: 'act',
    module: 'github.com/nektos/act',
    command: 'github.com/nektos/act',
    versionVariable: 'main.version',
  },
  actionlint: {
    program: 'actionlint',
    module: 'github.com/rhysd/actionlint',
    command: 'github.com/rhysd/actionlint/cmd/actionlint',
    versionVariable: 'github.com/rhysd/actionlint.version',
  },
  versitygw: {
    program: 'versitygw',
    module: 'github.com/versity/versitygw',
    command: 'github.com/versity/versitygw/cmd/versitygw',
    versionVariable: 'main.Version',
  },
}

/**
 * The path of a tool's binary; builds it with Go from its module under tools/ when the cache has none of this version
 * (1-2 minutes on 2 cores). Two callers never build the same one twice.
 * @throws ServiceError when Go is missing or the build fails
 */
export async function ensureTool(name: ToolName, log: (line: string) => void = () => undefined): Promise<string> {
  const tool = tools[name]
  const folder = join(toolsFolder, name)
  const goMod = await readFile(join(folder, 'go.mod'), 'utf8')
  const version = moduleVersion(goMod, tool.module)
  const binary = join(cacheHome(), 'tools', `${tool.program}-${version}`)
  if (existsSync(binary)) return binary
  const go = findProgram('go')
  if (go === undefined) {
    const goVersion = /^go (\S+)$/m.exec(goMod)?.[1] ?? 'its newest release'
    throw new ServiceError(
      `Go is missing, which builds ${tool.program} ${version}: install Go ${goVersion} or newer and put \`go\` on PATH.`,
    )
  }
  const lock = join(cacheHome(), 'locks', `${tool.program}-${version}.lock`)
  const onWait = () => log(`Waiting for another run that builds ${tool.program} ${version}`)
  return await withFileLock(
    lock,
    async () => {
      if (existsSync(binary)) return binary
      log(`Building ${tool.program} ${version} with Go, once (1-2 minutes)`)
      const started = performance.now()
      const temporary = `${binary}.${process.pid}.tmp`
      await mkdir(join(cacheHome(), 'tools'), { recursive: true })
      try {
        const flags = `-s -w -X ${tool.versionVariable}=${version}`
        await runProgram(go, ['build', '-trimpath', '-ldflags', flags, '-o', temporary, tool.command], {
          cwd: folder,
          env: { CGO_ENABLED: '0', GOWORK: 'off' },
        })
        await rename(temporary, binary)
      } finally {
        await rm(temporary, { force: true })
      }
      log(`Built ${tool.program} ${version} in ${Math.round((performance.now() - started) / 1000)} s`)
      return binary
    },
    onWait,
  )
}

function moduleVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [path, version] = line
      .replace(/^\s*require\s+/, '')
      .trim()
      .split(/\s+/)
    if (path === module && version?.startsWith('v')) return version
  }
  throw new ServiceError(`go.mod names no version of ${module}: run \`go get -tool\` in its folder under tools.`)
}
