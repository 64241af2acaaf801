import { externalImages } from '../dockerfile/stage-graph.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatReference, parseReference, withDigest } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { resolveDigest } from '../registry/resolve-digest.ts'
import { buildOptions, type Source } from './source.ts'

/** A step that may become layers; others never meet the installer image. */
const INSTALLS = /\b(?:pip3?|uv)\b[^\n]*\b(?:install|sync)\b/
const PYTHON_TAG = /(?:^|\/)python:(3\.\d+)(?![\d])/

/**
 * The installer image as the content key has it: by digest where its name is complete before the base image is read,
 * else by name. The Python in its name is that of the `python-version` input, or of a base image's tag.
 */
export async function installerName(inputs: BuildInputs, source: Source, registry: Registry): Promise<string> {
  const { installerImage } = inputs
  if (!inputs.optimizeLayers || !INSTALLS.test(source.dockerfile.text)) return installerImage
  const python = inputs.pythonVersion ?? pythonOf(inputs, source)
  if (python === undefined && installerImage.includes('{python}')) return installerImage
  const reference = parseReference(installerImage.replaceAll('{python}', python ?? ''))
  if (typeof reference === 'string') return installerImage
  // A registry that doesn't answer makes the key another one: the image is built once more, never wrongly skipped.
  const digest = await resolveDigest(registry, reference).catch(() => undefined)
  return digest === undefined ? installerImage : formatReference(withDigest(reference, digest))
}

function pythonOf(inputs: BuildInputs, source: Source): string | undefined {
  const images = externalImages(source.dockerfile, buildOptions(inputs))
  const versions = new Set(images.flatMap(({ reference }) => PYTHON_TAG.exec(reference)?.[1] ?? []))
  const [version] = versions
  return versions.size === 1 ? version : undefined
}
