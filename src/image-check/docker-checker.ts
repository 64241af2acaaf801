import { isDigest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import type { Exec } from '../exec/exec.ts'
import { platformOf } from '../registry/manifest.ts'
import { formatPlatform, parsePlatform, samePlatform } from '../registry/platform.ts'
import { formatReference, formatRepository, type ImageReference } from '../registry/reference.ts'
import type { CheckAnswer, CheckQuestion, ImageChecker } from './image-check.ts'

/**
 * Asks the local Docker for an image by name, for builds that are loaded into it. Its digest is what Docker takes for the
 * image's id: the configuration's, or with the containerd image store the manifest's.
 */
export function dockerChecker(exec: Exec, signal: AbortSignal): ImageChecker {
  return { name: 'docker', check: (question) => ask(exec, signal, question) }
}

async function ask(exec: Exec, signal: AbortSignal, question: CheckQuestion): Promise<CheckAnswer> {
  const { repositories, version, platforms } = question
  const [repository] = repositories
  if (repository === undefined) return { kind: 'pass', reason: 'the image has no name' }
  const name = formatReference({ ...repository, ...version })
  try {
    const args = ['image', 'inspect', '--format', '{{json .}}', name]
    const { exitCode, stdout, stderr } = await exec.run('docker', args, { signal })
    if (exitCode !== 0) {
      if (/no such image/i.test(stderr)) {
        return { kind: 'missing', reason: `not in Docker: ${name}`, missingPlatforms: platforms }
      }
      return { kind: 'unknown', reason: `docker image inspect: ${stderr.trim().split('\n').at(-1) ?? exitCode}` }
    }
    return readInspection(stdout, question)
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_CANCELLED') throw error
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

/** `docker image inspect` writes `Id`, `Os`, `Architecture` and `Variant` (Docker Engine API, ImageInspect). */
function readInspection(text: string, { repositories, platforms }: CheckQuestion): CheckAnswer {
  const image = parseJson(text)
  const id = isJsonRecord(image) ? (textField(image, 'Id') ?? '') : ''
  if (!isJsonRecord(image) || !isDigest(id)) return { kind: 'unknown', reason: 'docker image inspect: no image in it' }
  const field = (name: string): string => textField(image, name) ?? ''
  const own = platformOf({ os: field('Os'), architecture: field('Architecture'), variant: field('Variant') })
  const missingPlatforms = platforms.filter((text) => {
    const wanted = parsePlatform(text)
    return typeof wanted === 'string' || own === undefined || !samePlatform(wanted, own)
  })
  if (missingPlatforms.length > 0) {
    const has = own === undefined ? 'no platform' : formatPlatform(own)
    return { kind: 'missing', reason: `in Docker it is for ${has}`, missingPlatforms }
  }
  return { kind: 'found', digest: id, holders: repositories, reason: `in Docker: ${formatRepositories(repositories)}` }
}

/** Gives an image that Docker has more names. @throws ImageCacheError E_BUILDER when Docker refuses */
export async function tagInDocker(
  exec: Exec,
  image: ImageReference,
  tags: readonly ImageReference[],
  signal: AbortSignal,
): Promise<void> {
  for (const tag of tags) {
    const { exitCode, stderr } = await exec.run('docker', ['tag', formatReference(image), formatReference(tag)], {
      signal,
    })
    if (exitCode === 0) continue
    throw new ImageCacheError('E_BUILDER', `docker tag ${formatReference(tag)} failed: ${stderr.trim()}`, {
      hint: 'See that Docker runs: `docker info`.',
    })
  }
}

function formatRepositories(repositories: CheckQuestion['repositories']): string {
  return repositories.map(formatRepository).join(', ')
}
