import { parseArgs } from 'node:util'

export const DEMO_USAGE = `Usage: npm run demo [-- --torch] [--keep]

Builds examples/sklearn-service five times with image-cache and five times with plain buildx, each time on an emptied
builder, and shows both side by side. Sets up all that it needs: the first run takes some minutes more.

  --torch  build examples/torch-service instead: 2.8 GB of packages, needs 40 GB of disk and about 15 minutes
  --keep   leave registry and builder running, with what was pushed`

export interface DemoOptions {
  readonly project: 'sklearn' | 'torch'
  readonly keep: boolean
}

/** Reads the demo's arguments; a text is what to say instead of running. */
export function parseDemoOptions(
  args: readonly string[],
): DemoOptions | { readonly text: string; readonly exitCode: number } {
  try {
    const options = {
      torch: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help) return { text: DEMO_USAGE, exitCode: 0 }
    return { project: values.torch ? 'torch' : 'sklearn', keep: values.keep }
  } catch (error) {
    return { text: `${error instanceof Error ? error.message : String(error)}\n\n${DEMO_USAGE}`, exitCode: 2 }
  }
}
