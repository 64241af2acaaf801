import { ImageCacheError } from '../base/errors.ts'
import { runBuild } from '../buildx/run-build.ts'
import type { Deps } from '../deps.ts'
import { formatPlatform, type Platform } from '../registry/platform.ts'
import { formatRepository, type ImageReference, withDigest } from '../registry/reference.ts'
import { type BuildOrder, buildPlan } from './build-and-push.ts'
import { buildTools, prepareBuildFolder } from './build-folder.ts'
import { compareImages, type ImageDiff } from './compare-images.ts'
import { targetPlatforms } from './source.ts'

/** Differences that an error names; the command `image-cache diff` shows all. */
const NAMED = 10

/**
 * Builds the image as it was rewritten, pushes it by digest alone, under no tag, and compares it with what its Dockerfile
 * makes as it is written.
 * @returns a sentence for the report.
 * @throws ImageCacheError E_VERIFY when they differ, E_BUILD when one of them can't be built
 */
export async function verifyBuild(order: BuildOrder, deps: Deps): Promise<string> {
  return await verifyImage(order, await buildUntagged(order, 'rewritten', deps), deps)
}

/**
 * Builds the image as its Dockerfile is written, pushes it by digest alone, and compares an image that was made in another
 * way with it.
 * @returns a sentence for the report.
 * @throws ImageCacheError E_VERIFY when they differ, E_BUILD when it can't be built
 */
export async function verifyImage(order: BuildOrder, rewritten: ImageReference, deps: Deps): Promise<string> {
  const written = { ...order, dockerfile: order.source.dockerfile.text, lifted: undefined }
  const asWritten = await buildUntagged(written, 'as-written', deps)
  let compared = 0
  const platforms = targetPlatforms(order.inputs)
  for (const platform of platforms) {
    const diff = await compareImages(asWritten, rewritten, platform, deps.registry)
    if (!diff.equal) throw different(diff, asWritten, rewritten, platform)
    compared += diff.compared
  }
  const where = platforms.length > 1 ? `, on ${platforms.map(formatPlatform).join(' and ')}` : ''
  return `verified: ${compared} paths and the configuration are those of the Dockerfile as it is written${where}`
}

async function buildUntagged(order: BuildOrder, name: string, deps: Deps): Promise<ImageReference> {
  const { inputs, publish } = order
  const [repository] = inputs.tags
  if (repository === undefined) throw new RangeError('there is no repository to compare in')
  const folder = await prepareBuildFolder(`verify-${name}`, { Dockerfile: order.dockerfile }, order, deps)
  const pushed = buildPlan(order, folder)
  const byDigest = `,push-by-digest=true,name=${formatRepository(repository)}`
  const plan = {
    ...pushed,
    tags: [],
    outputs: pushed.outputs
      .filter((output) => /^type=image,push=true/.test(output))
      .map((output) => output.replace(/^type=image,push=true/, `type=image,push=true${byDigest}`)),
    cacheFrom: publish.cacheFrom,
    cacheTo: [],
    provenance: 'false',
    sbom: undefined,
  }
  const tools = buildTools(order.buildx, folder, () => undefined, deps)
  const run = await runBuild(plan, tools)
  deps.display.finish(run.timeline)
  if (run.kind === 'failed') throw run.error
  const { digest } = run.metadata
  if (digest === undefined) throw new ImageCacheError('E_VERIFY', 'the builder did not say which image it has pushed')
  return withDigest({ registry: repository.registry, path: repository.path }, digest)
}

function different(
  { files, config }: ImageDiff,
  a: ImageReference,
  b: ImageReference,
  platform: Platform,
): ImageCacheError {
  const named = [
    ...config.map(
      ({ field, a: left, b: right }) => `configuration ${field}: ${left ?? 'not set'}, ${right ?? 'not set'}`,
    ),
    ...files.map(({ path, detail }) => `${path}: ${detail}`),
  ]
  const more = named.length > NAMED ? `; and ${named.length - NAMED} more` : ''
  const list = named.slice(0, NAMED).join('; ')
  const names = [a, b].map(({ registry, path, digest }) => `${registry}/${path}@${digest}`).join(' ')
  return new ImageCacheError(
    'E_VERIFY',
    `the rewritten image differs from the Dockerfile as it is written: ${list}${more}`,
    {
      hint: `image-cache diff ${names} --platform ${formatPlatform(platform)} shows all of it. optimize-layers: false, or # image-cache: off above a step, leaves it as it is.`,
    },
  )
}
