import { join } from 'node:path'
import { givenText, inputFile } from './given-text.ts'

/** What a spec stands for. */
export interface SpecDockerfile {
  readonly text: string
  /** Where the Dockerfile would lie; nothing is there. */
  readonly path: string
  /** Ignore patterns besides those of the context. */
  readonly ignore: readonly string[]
}

/**
 * Reads a spec and writes its Dockerfile.
 * @param given the spec itself, or the path of a file that holds it: `*.yml`, `*.yaml`, `*.json`, `pyproject.toml`
 * @param context absolute path of the build context, where scripts are read
 * @throws ImageCacheError E_INPUT when it can't be read, with everything that is wrong with it
 */
export async function specDockerfile(given: string, workspace: string, context: string): Promise<SpecDockerfile> {
  const { text, place } = await givenText('spec', given, /^[^\n:{]+\.(?:ya?ml|json|toml)$/, workspace)
  // What checks specs is large, and few builds have one.
  const { parseSpec } = await import('../spec/parse-spec.ts')
  const { renderSpec } = await import('../spec/render-spec.ts')
  const { scriptPackages } = await import('../spec/script-packages.ts')
  const spec = await parseSpec(text, place)
  const scripts = new Map<string, readonly string[]>()
  for (const layer of spec.layers) {
    if (!('script' in layer)) continue
    const script = await inputFile('spec: script', layer.script, context)
    scripts.set(layer.script, await scriptPackages(script, layer.script))
  }
  return { text: renderSpec(spec, { scripts }), path: join(context, 'Dockerfile'), ignore: spec.ignore ?? [] }
}
