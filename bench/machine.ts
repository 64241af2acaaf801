import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { toolsFolder } from '../tools/services/locations.ts'
import type { Machine } from './bench-result.ts'

/** What the measurements were taken with. */
export async function describeMachine(): Promise<Machine> {
  const [first] = cpus()
  const [buildkit, buildx, registry, rootfs] = await Promise.all([
    goModule('buildkitd', 'github.com/moby/buildkit'),
    goModule('buildx', 'github.com/docker/buildx'),
    goModule('registry', 'github.com/distribution/distribution/v3'),
    readFile(join(toolsFolder, 'services', 'debian-rootfs.ts'), 'utf8'),
  ])
  const uv = /uvVersion = '([\d.]+)'/.exec(rootfs)?.[1] ?? 'unknown'
  return {
    cores: cpus().length,
    cpu: first?.model ?? 'unknown',
    memory: totalmem(),
    system: `Linux ${release()}`,
    versions: { BuildKit: buildkit, buildx, registry, uv, node: process.versions.node },
  }
}

async function goModule(tool: string, module: string): Promise<string> {
  const goMod = await readFile(join(toolsFolder, tool, 'go.mod'), 'utf8')
  const line = goMod.split('\n').find((one) => one.replace('require ', '').trim().startsWith(`${module} v`))
  return /\bv(\d\S*)/.exec(line?.slice(line.indexOf(module) + module.length) ?? '')?.[1] ?? 'unknown'
}
