import { compareImages } from '../../src/flow/compare-images.ts'
import { nativePlatform } from '../../src/flow/source.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { parsePlatform } from '../../src/registry/platform.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { type CommandRun, inputOptions, type LineRig } from './line-rig.ts'

/** Builds folders of a rig's workspace as they are written and with layers, and compares the two images. */
export class BothWays {
  readonly #rig: LineRig

  constructor(rig: LineRig) {
    this.#rig = rig
  }

  /** Named contexts in the place of images from the network. */
  get contexts(): readonly string[] {
    const from = (path: string): string => `docker-image://${this.#rig.registry}/${path}`
    const python = `python:3.11-slim=${from('base/python:3.11-slim')}`
    return [python, `installer=${from('base/uv:python3.11')}`, `plain=${from('base/plain:1')}`]
  }

  /** Builds a folder with buildx alone and pushes it as `<name>:written`. */
  async asWritten(name: string): Promise<CommandRun> {
    const options = this.contexts.flatMap((context) => ['--build-context', context])
    const output = `type=image,push=true,name=${this.#rig.registry}/${name}:written`
    return await this.#rig.buildx('build', '--provenance=false', ...options, '--output', output, name)
  }

  /** Builds a folder with the product and pushes it as `<name>:layers`; the answer is JSON. */
  async withLayers(name: string, more: Readonly<Record<string, string>> = {}): Promise<CommandRun> {
    const inputs = this.#rig.inputs(`${name}:layers`, {
      'build-contexts': this.contexts.join('\n'),
      check: 'off',
      'cache-from': 'off',
      'cache-to': 'off',
      provenance: 'false',
      ...more,
    })
    return await this.#rig.command('build', name, ...inputOptions(inputs), '--json')
  }

  /** What differs between the two images; empty lists where nothing does. */
  async differences(name: string): Promise<Pick<Awaited<ReturnType<typeof compareImages>>, 'files' | 'config'>> {
    const platform = parsed(parsePlatform(nativePlatform()))
    const [a, b] = ['written', 'layers'].map((tag) => `${this.#rig.services.registry}/${name}:${tag}`)
    const images = [a, b].map((text) => parsed(parseReference(text ?? '')))
    const [written, layers] = images
    if (written === undefined || layers === undefined) throw new RangeError('two images are compared')
    const { files, config } = await compareImages(written, layers, platform, new HttpRegistry())
    return { files, config }
  }
}

function parsed<T extends object>(result: T | string): T {
  if (typeof result === 'string') throw new Error(result)
  return result
}
