import type { ImageSpec, SpecLayer, SpecSecret } from './image-spec.ts'
import { checkSpec } from './parse-spec.ts'

/** Where Python packages come from, and what a step may read besides. */
export interface InstallOptions extends StepOptions {
  /** Index that is asked instead of the usual one. */
  readonly index?: string
  /** Indexes that are asked, too. */
  readonly extraIndexes?: readonly string[]
  /** Folders or pages with links to packages. */
  readonly findLinks?: readonly string[]
  /** Whether pre-releases may be taken. */
  readonly pre?: boolean
}

/** What a step may read, and whether it may be rewritten. */
export interface StepOptions {
  /** Secrets that the step may read. */
  readonly secrets?: readonly SpecSecret[]
  /** Whether layers may be made of the step; true when left out. */
  readonly optimize?: boolean
}

/** What of a project is installed. */
export interface ProjectOptions extends StepOptions {
  readonly groups?: readonly string[]
  readonly extras?: readonly string[]
  /** Whether the development group is installed, too. */
  readonly dev?: boolean
}

/**
 * An image as a value: every method answers another one and leaves this one as it is, so that images share what they
 * begin with. Layers keep their order.
 *
 * ```ts
 * const base = image({ python: '3.12' }).apt('libgomp1').requirements('requirements.txt')
 * const service = base.copy('src/', './src/').command('python', '-m', 'src.main')
 * ```
 */
export class SpecImage {
  readonly spec: ImageSpec

  /** @throws ImageCacheError E_INPUT with everything that is wrong with the spec */
  constructor(spec: unknown) {
    this.spec = checkSpec(spec, 'image')
  }

  /** Packages of Debian or Ubuntu. */
  apt(...packages: readonly string[]): SpecImage {
    return this.#layer({ apt: [...packages] })
  }

  /** Python packages by name (PEP 508), such as `torch>=2`. */
  pip(packages: readonly string[], options: InstallOptions = {}): SpecImage {
    return this.#layer({ pip: [...packages], ...installFields(options) })
  }

  /** Requirements files of the build context; files that they name are found beside them. */
  requirements(files: string | readonly string[], options: InstallOptions = {}): SpecImage {
    return this.#layer({ requirements: typeof files === 'string' ? files : [...files], ...installFields(options) })
  }

  /** Wheels of the build context. */
  wheels(paths: readonly string[], options: InstallOptions = {}): SpecImage {
    return this.#layer({ wheels: [...paths], ...installFields(options) })
  }

  /** Dependencies of a folder with pyproject.toml and uv.lock, into `.venv` of the working directory. */
  project(folder: string, { groups, extras, dev, ...options }: ProjectOptions = {}): SpecImage {
    return this.#layer({
      project: folder,
      ...(groups === undefined ? {} : { groups: [...groups] }),
      ...(extras === undefined ? {} : { extras: [...extras] }),
      ...(dev === undefined ? {} : { dev }),
      ...stepFields(options),
    })
  }

  /** Packages that a script names itself (PEP 723). */
  script(path: string, options: InstallOptions = {}): SpecImage {
    return this.#layer({ script: path, ...installFields(options) })
  }

  /** Shell commands, each of which must succeed. */
  run(commands: string | readonly string[], options: StepOptions = {}): SpecImage {
    return this.#layer({ run: typeof commands === 'string' ? commands : [...commands], ...stepFields(options) })
  }

  /** Sources of the build context. @param chown user and group, by number best */
  copy(sources: string | readonly string[], to: string, chown?: string): SpecImage {
    const copy = typeof sources === 'string' ? sources : [...sources]
    return this.#layer({ copy, to, ...(chown === undefined ? {} : { chown }) })
  }

  /** Variables from here on. */
  env(variables: Readonly<Record<string, string>>): SpecImage {
    return this.#layer({ env: { ...variables } })
  }

  /** Folder that steps and the container begin in; `/app` when not given. */
  workdir(folder: string): SpecImage {
    return this.#with({ workdir: folder })
  }

  /** User that containers run as; steps run as root. */
  user(name: string): SpecImage {
    return this.#with({ user: name })
  }

  /** Program of the container, with what it always gets. */
  entrypoint(...words: readonly string[]): SpecImage {
    return this.#with({ entrypoint: [...words] })
  }

  /** What the container runs, or gives to its entrypoint. */
  command(...words: readonly string[]): SpecImage {
    return this.#with({ command: [...words] })
  }

  /** Whether independent layers are made of installs. */
  optimizeLayers(on: boolean): SpecImage {
    return this.#with({ 'optimize-layers': on })
  }

  /** The spec as text, for the input `spec`. */
  toString(): string {
    return JSON.stringify(this.spec)
  }

  #layer(layer: SpecLayer): SpecImage {
    return this.#with({ layers: [...this.spec.layers, layer] })
  }

  #with(fields: Partial<ImageSpec>): SpecImage {
    return new SpecImage({ ...this.spec, ...fields })
  }
}

/**
 * Begins an image.
 * @param fields all but `layers`, as in a spec file: `base` or `python` must be there
 * @throws ImageCacheError E_INPUT with everything that is wrong with them
 */
export function image(fields: Omit<ImageSpec, 'layers'>): SpecImage {
  return new SpecImage({ ...fields, layers: [] })
}

function installFields({ index, extraIndexes, findLinks, pre, ...options }: InstallOptions) {
  return {
    ...(index === undefined ? {} : { index }),
    ...(extraIndexes === undefined ? {} : { 'extra-indexes': [...extraIndexes] }),
    ...(findLinks === undefined ? {} : { 'find-links': [...findLinks] }),
    ...(pre === undefined ? {} : { pre }),
    ...stepFields(options),
  }
}

function stepFields({ secrets, optimize }: StepOptions) {
  return {
    ...(secrets === undefined ? {} : { secrets: [...secrets] }),
    ...(optimize === undefined ? {} : { optimize }),
  }
}
