import { type Libc, uvPlatform } from '../base/libc.ts'

/** uv's names for machines, and what `uname -m` says there. */
const MACHINES: Readonly<Record<string, string>> = { 'linux/amd64': 'x86_64', 'linux/arm64': 'aarch64' }

/** Whether wheels for a platform can be installed on any other. */
export function hasMachine(platform: string): boolean {
  return platform in MACHINES
}

/**
 * Shell lines that add `--python-platform` to the arguments: machine and C library are those of the target, whatever the
 * installer's are.
 * @param platform `linux/arm64`
 * @param isShared the stage is for several platforms: BuildKit runs it once for each and says in TARGETARCH for which
 */
export function machineLines(platform: string, libc: Libc, isShared: boolean): readonly string[] {
  const machine = MACHINES[platform]
  if (isShared) return [...SHARED, platformLine('"$machine"', libc)]
  return machine === undefined ? [] : [platformLine(machine, libc)]
}

function platformLine(machine: string, libc: Libc): string {
  return `set -- --python-platform ${uvPlatform(machine, libc)}`
}

/** BuildKit runs the stage once for each platform, and says which one it is for. */
const SHARED: readonly string[] = [
  'case "$TARGETARCH" in',
  ...Object.entries(MACHINES).map(([platform, machine]) => `  ${platform.split('/')[1]}) machine=${machine} ;;`),
  '  *) echo "there are no packages for $TARGETARCH" >&2; exit 1 ;;',
  'esac',
]

/** Says which platforms take a package (PEP 508, environment markers). */
export function platformMarker(platforms: readonly string[]): string {
  return ` ; ${platforms.map((platform) => `platform_machine == '${MACHINES[platform]}'`).join(' or ')}`
}
