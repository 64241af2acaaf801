import { ImageCacheError } from '../base/errors.ts'
import { compareImages, type ImageDiff } from '../flow/compare-images.ts'
import { nativePlatform } from '../flow/source.ts'
import { type Platform, parsePlatform } from '../registry/platform.ts'
import { type ImageReference, parseReference } from '../registry/reference.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** Exit code of a comparison that found differences; 1 and 2 say that there was none. */
const DIFFERENT = 3

/** Lines shown of each kind; `--json` has them all. */
const SHOWN = 40

/** `image-cache diff A B`: two images as merged file systems. Answers the exit code: 0 equal, 3 different. */
export async function diffCommand(
  names: readonly [a: string, b: string],
  platform: string | undefined,
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  let equal = true
  const exitCode = await runCommand(new Map(), world, async ({ deps }) => {
    const [a, b] = [readName(names[0]), readName(names[1])]
    const diff = await compareImages(a, b, readPlatform(platform ?? nativePlatform()), deps.registry)
    equal = diff.equal
    world.stdout.write(`${json ? diffJson(diff) : diffLines(diff).join('\n')}\n`)
  })
  return exitCode === 0 && !equal ? DIFFERENT : exitCode
}

function readName(text: string): ImageReference {
  const reference = parseReference(text)
  if (typeof reference === 'string') {
    throw new ImageCacheError('E_INPUT', `${JSON.stringify(text)} ${reference}`, {
      hint: 'Name an image with its tag.',
    })
  }
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference
}

function readPlatform(text: string): Platform {
  const platform = parsePlatform(text)
  if (typeof platform !== 'string') return platform
  throw new ImageCacheError('E_INPUT', `platform: ${JSON.stringify(text)} ${platform}`, {
    hint: 'Such as linux/arm64.',
  })
}

function diffJson({ equal, files, config, compared, ignored }: ImageDiff): string {
  return JSON.stringify({ equal, files, config, compared, ignored: Object.fromEntries(ignored) }, null, 2)
}

/** A comparison as people read it. */
export function diffLines({ equal, files, config, compared, ignored }: ImageDiff): readonly string[] {
  const noise = [...ignored].map(([name, count]) => `${count} of ${name}`).join(', ')
  const left = noise === '' ? '' : `, left out: ${noise}`
  const counts = `${files.length} differences in ${compared} paths, ${config.length} in the configuration${left}`
  return [
    ...config.map(({ field, a, b }) => `configuration ${field}: ${a ?? 'not set'}, ${b ?? 'not set'}`),
    ...files.slice(0, SHOWN).map(({ path, detail }) => `${path}: ${detail}`),
    ...(files.length > SHOWN ? [`… and ${files.length - SHOWN} more`] : []),
    equal ? `equal: ${counts}` : `different: ${counts}`,
  ]
}
