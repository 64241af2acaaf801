import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Exec } from '../exec/exec.ts'
import type { RunInstaller } from './resolve.ts'

export interface RunnerTools {
  readonly exec: Exec
  /** Folder for work files; each run makes one below it and removes it. */
  readonly tempDir: string
  readonly signal: AbortSignal
}

/** Settings of the runner's own uv and pip must not decide what goes into an image: the builder doesn't have them. */
const OWN_SETTINGS_OFF = `for name in $(env | sed -n 's/^\\(UV_[A-Z0-9_]*\\|PIP_[A-Z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
export UV_NO_CONFIG=1
`

/** Whether this machine has uv, so that versions can be resolved here while the builder gets its image. */
export async function hasUv(exec: Exec): Promise<boolean> {
  const answer = await exec.run('uv', ['--version']).catch(() => undefined)
  return answer?.exitCode === 0
}

/** Runs an installer script with this machine's uv, in a folder of its own; the image is not used. */
export function runOnRunner({ exec, tempDir, signal }: RunnerTools): RunInstaller {
  return async (run) => {
    await mkdir(tempDir, { recursive: true })
    const folder = await mkdtemp(join(tempDir, 'resolve-'))
    try {
      const work = join(folder, 'work')
      const out = join(folder, 'out')
      for (const [name, content] of Object.entries({ ...run.files, 'run.sh': OWN_SETTINGS_OFF + run.script })) {
        await mkdir(dirname(join(work, name)), { recursive: true })
        await writeFile(join(work, name), content)
      }
      const result = await exec.run('sh', ['run.sh'], { cwd: work, env: { OUT: out }, signal })
      if (result.exitCode !== 0) return { kind: 'failed', stderr: result.stderr }
      const names = await readdir(out)
      const outputs = names.map(async (name) => [name, await readFile(join(out, name), 'utf8')] as const)
      return { kind: 'done', outputs: Object.fromEntries(await Promise.all(outputs)) }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}
