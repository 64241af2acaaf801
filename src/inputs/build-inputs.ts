import { parseBytes } from '../base/bytes.ts'
import type { Digest } from '../base/digest.ts'
import { parseDuration } from '../base/duration.ts'
import type { BuilderOptions } from '../buildx/builder-options.ts'
import type { PublishWish } from '../buildx/publish-plan.ts'
import { type Annotation, parseAnnotation } from '../registry/annotation.ts'
import { type ImageReference, parseReference, type RepositoryName } from '../registry/reference.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import { type BuildSecret, readBuilderOptions, readCall, readGithubToken, readSecrets } from './builder-inputs.ts'
import { type CacheChoice, cacheChoice } from './cache-choice.ts'
import { BUILD_INPUTS } from './input-list.ts'
import { InputReader, type ReadInput } from './input-reader.ts'
import { readPushed } from './pushed-names.ts'
import { layersRepository } from './reference-inputs.ts'
import { type RunInputs, readRunInputs } from './run-inputs.ts'
import { readStore } from './store-input.ts'

export type { CacheChoice }

/** Everything that the build action and `image-cache build` take, checked. Names as in action.yml, in camel case. */
export interface BuildInputs extends RunInputs {
  /** A folder, or a git repository as buildx takes it. */
  readonly context: string
  /** Path of the Dockerfile; undefined means `Dockerfile` in the context. */
  readonly file: string | undefined
  /** What the image is made of, in place of a Dockerfile: the spec itself or the path of its file. */
  readonly spec: string | undefined
  /** With `push: by-digest` repositories alone. */
  readonly tags: readonly ImageReference[]
  /** `os/architecture[/variant]`; empty means the builder's own platform. */
  readonly platforms: readonly string[]
  readonly target: string | undefined
  readonly buildArgs: ReadonlyMap<string, string>
  readonly buildContexts: ReadonlyMap<string, string>
  /** What stands in the content key for named contexts that other builds of this run make, by their names. */
  readonly contextKeys?: ReadonlyMap<string, Digest>
  readonly push: boolean
  readonly load: boolean
  readonly outputs: readonly string[]
  readonly cacheFrom: CacheChoice
  readonly cacheTo: CacheChoice
  readonly cacheWrite: CacheWrite
  /** Seconds. */
  readonly cacheTimeout: number
  readonly publish: PublishWish
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: readonly Annotation[]
  readonly secrets: readonly BuildSecret[]
  /** As buildx takes it (`true`, `mode=max`); undefined leaves buildx's default. */
  readonly provenance: string | undefined
  readonly sbom: string | undefined
  readonly noCache: boolean
  readonly pull: boolean
  readonly allow: readonly string[]
  /** Options that buildx gets as they are. */
  readonly builderOptions: BuilderOptions
  /** What the builder is asked instead of building, such as `check`; undefined builds. */
  readonly call: string | undefined
  /** Token for git contexts of GitHub. */
  readonly githubToken: string | undefined
  readonly optimizeLayers: boolean
  /** `safe`: steps that surely don't touch the packages are built before their layers. */
  readonly reorder: 'off' | 'safe'
  /** In which images COPY steps are linked: `auto` in those with layers of dependencies. */
  readonly linkCopies: 'auto' | 'all' | 'off'
  /** Build both ways and compare. */
  readonly verify: boolean
  readonly assemble: AssembleChoice
  /** Where layers of dependencies are kept; undefined means the first repository of the tags. */
  readonly layersRepository: RepositoryName | undefined
  readonly compression: Compression
  readonly compressionLevel: number | undefined
  readonly check: CheckMode
  /** Seconds; 0 means that no record is believed. */
  readonly checkTtl: number
  /** Seconds for which a record of a missing image is believed; 0 believes none. */
  readonly checkNegativeTtl: number
  readonly checkUnknown: UnknownPolicy
  /** With `load`: whether the local Docker is asked. */
  readonly checkLocal: boolean
  /** Patterns of names of labels and annotations that say nothing of the content. */
  readonly volatileLabels: readonly string[]
  readonly retagLabels: boolean
  readonly force: boolean
  readonly salt: string
  /** `3.12`; undefined means that the base image tells. */
  readonly pythonVersion: string | undefined
  /** Reference of an image with uv and Python; `{python}` stands for the version. */
  readonly installerImage: string
  readonly maxLayers: number
  /** Compressed bytes. */
  readonly maxLayerSize: number
  /** Layers that the user fixed: names of packages, with `*` for any run of characters. */
  readonly layers: readonly (readonly string[])[]
  /** Normalised names. */
  readonly heavyPackages: readonly string[]
  readonly relock: boolean
  /** Path of a file of tasks, or their YAML. */
  readonly tasks: string | undefined
  /** Whether to wait while another job builds the same content. */
  readonly serialize: boolean
  /** Seconds. */
  readonly waitLimit: number
  readonly store: StoreSetting
}

export type { BuildSecret }

/** How layers of dependencies become part of the image; `auto` takes composed where it can be, else linked. */
export type AssembleChoice = 'auto' | 'composed' | 'linked' | 'chain'
export type Compression = 'zstd' | 'gzip' | 'estargz' | 'uncompressed'
/** Which cache beside the image a run writes: its own, that of the default branch, or none. */
export type CacheWrite = 'auto' | 'shared' | 'off'
const LONGEST_NEGATIVE_TTL = 3600

/** Where an existing image is looked for: records then registry, the registry alone, or nowhere. */
export type CheckMode = 'auto' | 'registry' | 'off'
/** What is done when nobody can tell whether the image exists. */
export type UnknownPolicy = 'build' | 'fail' | 'assume-exists'

/**
 * The one parser of the build action's inputs.
 * @throws ImageCacheError E_INPUT that lists all mistakes together.
 */
export function parseBuildInputs(read: ReadInput): BuildInputs {
  const reader = new InputReader((name) => read(name).trim() || fallbackOf(name))
  const { tags, push, outputs } = readPushed(reader)
  const inputs: BuildInputs = {
    context: context(reader),
    file: reader.text('file'),
    spec: reader.text('spec'),
    tags,
    platforms: platforms(reader),
    target: reader.text('target'),
    buildArgs: reader.pairs('build-args'),
    buildContexts: reader.pairs('build-contexts'),
    ...readRunInputs(reader),
    push,
    load: reader.flag('load'),
    outputs,
    cacheFrom: cacheChoice(reader, 'cache-from'),
    cacheTo: cacheChoice(reader, 'cache-to'),
    cacheWrite: reader.choice('cache-write', ['auto', 'shared', 'off']),
    cacheTimeout: seconds(reader, 'cache-timeout'),
    publish: reader.choice('publish', ['auto', 'parallel', 'two-clients', 'image-first', 'post', 'sequential']),
    labels: reader.pairs('labels'),
    annotations: annotations(reader),
    secrets: readSecrets(reader),
    provenance: reader.text('provenance'),
    sbom: reader.text('sbom'),
    noCache: reader.flag('no-cache'),
    pull: reader.flag('pull'),
    allow: reader.list('allow'),
    builderOptions: readBuilderOptions(reader),
    call: readCall(reader),
    githubToken: readGithubToken(reader),
    // A stage that is to be built anew must be whole.
    optimizeLayers: reader.flag('optimize-layers') && reader.list('no-cache-filters').length === 0,
    verify: reader.flag('verify'),
    reorder: reader.choice('reorder', ['off', 'safe']),
    linkCopies: reader.choice('link-copies', ['auto', 'all', 'off']),
    assemble: reader.choice('assemble', ['auto', 'composed', 'linked', 'chain']),
    layersRepository: layersRepository(reader),
    compression: reader.choice('compression', ['zstd', 'gzip', 'estargz', 'uncompressed']),
    compressionLevel:
      reader.text('compression-level') === undefined ? undefined : wholeNumber(reader, 'compression-level', 0, 22),
    check: reader.choice('check', ['auto', 'registry', 'off']),
    checkTtl: seconds(reader, 'check-ttl'),
    checkNegativeTtl: briefly(reader, 'check-negative-ttl'),
    checkUnknown: reader.choice('check-unknown', ['build', 'fail', 'assume-exists']),
    checkLocal: reader.flag('check-local'),
    volatileLabels: volatileLabels(reader),
    retagLabels: reader.flag('retag-labels'),
    force: reader.flag('force'),
    salt: reader.text('salt') ?? '',
    pythonVersion: pythonVersion(reader),
    installerImage: installer(reader),
    maxLayers: wholeNumber(reader, 'max-layers', 1, 32),
    maxLayerSize: bytes(reader, 'max-layer-size'),
    layers: reader.lines('layers').map((line) => packageNames(reader, 'layers', line.split(/[\s,]+/))),
    heavyPackages: packageNames(reader, 'heavy-packages', reader.list('heavy-packages')),
    relock: reader.flag('relock'),
    tasks: reader.text('tasks'),
    serialize: reader.flag('serialize'),
    waitLimit: seconds(reader, 'wait-limit'),
    store: readStore(reader),
  }
  if (inputs.push && inputs.tags.length === 0) reader.mistake('tags', '', 'is empty, but push needs a name to push to')
  if (inputs.verify && !inputs.push) reader.mistake('verify', 'true', 'needs push: images are compared in a registry')
  if (inputs.spec !== undefined && inputs.file !== undefined)
    reader.mistake('spec', inputs.spec, 'is there beside file: an image is made of one of the two')
  if (inputs.layers.length >= inputs.maxLayers) {
    reader.mistake(
      'layers',
      `${inputs.layers.length} lines`,
      `leave none of max-layers (${inputs.maxLayers}) for the rest`,
    )
  }
  reader.finish()
  return inputs
}

function context(reader: InputReader): string {
  const text = reader.text('context') ?? '.'
  if (text === '-') reader.mistake('context', text, 'is no folder and no git repository')
  return text
}

function platforms(reader: InputReader): readonly string[] {
  return reader.list('platforms').filter((text) => {
    const known = /^[a-z0-9]+\/[a-z0-9_]+(\/v?[a-z0-9]+)?$/.test(text)
    if (!known) reader.mistake('platforms', text, 'is not os/architecture[/variant], such as linux/arm64')
    return known
  })
}

function seconds(reader: InputReader, name: string): number {
  const text = reader.text(name) ?? '0'
  const parsed = parseDuration(text)
  if (parsed === undefined) reader.mistake(name, text, 'is not a duration such as 0, 90s, 15m, 12h, 1d')
  return parsed ?? 0
}

/** An image that is missing may be there in a moment: that it is missing must be forgotten soon. */
function briefly(reader: InputReader, name: string): number {
  const parsed = seconds(reader, name)
  if (parsed <= LONGEST_NEGATIVE_TTL) return parsed
  reader.mistake(name, reader.text(name) ?? '', 'is longer than 1h, the longest that a missing image is believed')
  return LONGEST_NEGATIVE_TTL
}

function annotations(reader: InputReader): readonly Annotation[] {
  return reader.lines('annotations').flatMap((line) => {
    const annotation = parseAnnotation(line)
    if (typeof annotation === 'string') reader.mistake('annotations', line, annotation)
    else return [annotation]
    return []
  })
}

function volatileLabels(reader: InputReader): readonly string[] {
  const patterns = reader.list('volatile-labels')
  return patterns.length === 1 && patterns[0] === 'off' ? [] : patterns
}

function wholeNumber(reader: InputReader, name: string, least: number, most: number): number {
  const text = reader.text(name) ?? ''
  const parsed = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (parsed >= least && parsed <= most) return parsed
  reader.mistake(name, text, `is not a whole number from ${least} to ${most}`)
  return least
}

function bytes(reader: InputReader, name: string): number {
  const text = reader.text(name) ?? ''
  const parsed = parseBytes(text)
  if (parsed === undefined || parsed < 1) reader.mistake(name, text, 'is not a size such as 500MB, 1GB or 2GiB')
  return parsed ?? 1
}

/** Names as the index compares them (PEP 503); a `*` stays. */
function packageNames(reader: InputReader, input: string, words: readonly string[]): readonly string[] {
  return words
    .filter((word) => word !== '')
    .map((word) => {
      if (!/^[a-z0-9*][a-z0-9._*-]*$/i.test(word)) reader.mistake(input, word, 'is not the name of a package')
      return word.toLowerCase().replace(/[-_.]+/g, '-')
    })
}

function pythonVersion(reader: InputReader): string | undefined {
  const text = reader.text('python-version')
  if (text === undefined || /^3\.\d{1,2}$/.test(text)) return text
  reader.mistake('python-version', text, 'is not a minor version such as 3.12')
  return undefined
}

function installer(reader: InputReader): string {
  const text = reader.text('installer-image') ?? ''
  const reference = parseReference(text.replaceAll('{python}', '3.12'))
  if (typeof reference === 'string') reader.mistake('installer-image', text, reference)
  return text
}

/** action.yml has the same defaults; they stand here, too, for the CLI and for callers that pass nothing. */
function fallbackOf(name: string): string {
  return BUILD_INPUTS.find((input) => input.name === name)?.fallback ?? ''
}
