import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exec } from '../exec/exec.ts'
import type { BuildxCommand } from './builder.ts'
import { createProgress } from './progress.ts'
import type { BuildTimeline } from './progress-timeline.ts'

/** A script that runs inside an image on the builder, so that nothing need be installed on the runner. */
export interface ImageRun {
  /** Reference with digest. */
  readonly image: string
  /** For /bin/sh, in a folder that holds `files`; what it writes to /out comes back. */
  readonly script: string
  /** Content by file name; names may have folders. */
  readonly files: Readonly<Record<string, string>>
  /** Runs it even where the builder remembers an earlier run. */
  readonly fresh: boolean
}

export type ImageRunResult =
  | { readonly kind: 'done'; readonly outputs: Readonly<Record<string, string>>; readonly pulledBytes: number }
  | { readonly kind: 'failed'; readonly stderr: string; readonly pulledBytes: number }

export interface ImageRunTools {
  readonly exec: Exec
  readonly buildx: BuildxCommand
  readonly builder: string | undefined
  readonly allow: readonly string[]
  readonly tempDir: string
  readonly signal: AbortSignal
}

/** Runs a script in an image as a small build with local output. A non-zero exit of the script is `failed`. */
export async function runInImage(run: ImageRun, tools: ImageRunTools): Promise<ImageRunResult> {
  await mkdir(tools.tempDir, { recursive: true })
  const folder = await mkdtemp(join(tools.tempDir, 'run-'))
  try {
    return await buildIn(folder, run, tools)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function buildIn(folder: string, run: ImageRun, tools: ImageRunTools): Promise<ImageRunResult> {
  const context = join(folder, 'context')
  for (const [name, content] of Object.entries({ ...run.files, 'image-cache-run.sh': run.script })) {
    await mkdir(join(context, name, '..'), { recursive: true })
    await writeFile(join(context, name), content)
  }
  const dockerfile = join(folder, 'Dockerfile')
  await writeFile(dockerfile, scriptDockerfile(run.image))
  const out = join(folder, 'out')
  const args = [
    ...tools.buildx.prefix,
    'build',
    '--progress=rawjson',
    '--provenance=false',
    ...(tools.builder === undefined ? [] : ['--builder', tools.builder]),
    ...(run.fresh ? ['--no-cache'] : []),
    ...tools.allow.flatMap((entitlement) => ['--allow', entitlement]),
    '--output',
    `type=local,dest=${out}`,
    '--file',
    dockerfile,
    context,
  ]
  const progress = createProgress()
  const onStderrLine = (line: string): void => progress.push(line)
  const result = await tools.exec.run(tools.buildx.command, args, { signal: tools.signal, onStderrLine })
  const timeline = progress.snapshot()
  const { pulledBytes } = timeline
  if (result.exitCode !== 0) return { kind: 'failed', stderr: scriptErrors(timeline), pulledBytes }
  const names = await readdir(out)
  const outputs = await Promise.all(names.map(async (name) => [name, await readFile(join(out, name), 'utf8')] as const))
  return { kind: 'done', outputs: Object.fromEntries(outputs), pulledBytes }
}

function scriptDockerfile(image: string): string {
  return `FROM --platform=$BUILDPLATFORM ${image} AS run
WORKDIR /image-cache
COPY . .
RUN mkdir -p /out && sh image-cache-run.sh
FROM scratch
COPY --from=run /out/ /
`
}

/** The last 20 lines that the script wrote, or what the builder said when there was no script to blame. */
function scriptErrors({ failed, text }: BuildTimeline): string {
  const lines = failed === undefined || failed.step.logs.length === 0 ? text : failed.step.logs
  return lines.slice(-20).join('\n')
}
