import { parseBytes } from '../base/bytes.ts'
import type { InputReader } from './input-reader.ts'

/** How a builder is made where there is none, and what a run leaves behind; none of it changes the image. */
export interface RunInputs {
  /** Name of a builder that is there; undefined: the current one, or one that is made. */
  readonly builder: string | undefined
  /** Addresses of remote builders; the fitting one is chosen for each image. */
  readonly endpoints: readonly string[]
  /** Driver of a builder that is made for this run; undefined: the current builder is taken where there is one. */
  readonly driver: 'docker-container' | 'kubernetes' | undefined
  /** As `docker buildx create --driver-opt` takes them. */
  readonly driverOpts: readonly string[]
  /** Image of BuildKit for a builder that is made. */
  readonly buildkitImage: string
  /** `v0.33.0`: what is installed where there is no buildx. */
  readonly buildxVersion: string
  /** Bytes; undefined sets no limit. */
  readonly failOnPullOver: number | undefined
  readonly summary: boolean
  /** Whether BuildKit's record of the build is written to a file. */
  readonly buildRecord: boolean
}

const DRIVERS = ['docker-container', 'kubernetes'] as const
const ENDPOINT = /^(tcp|unix|ssh|kube-pod|docker-container|podman-container|npipe):\/\/\S+$/

/** Reads how a run is carried out and told. */
export function readRunInputs(reader: InputReader): RunInputs {
  const inputs: RunInputs = {
    builder: reader.text('builder'),
    endpoints: endpoints(reader),
    driver: driver(reader),
    driverOpts: reader.lines('driver-opts'),
    buildkitImage: reader.text('buildkit-image') ?? '',
    buildxVersion: buildxVersion(reader),
    failOnPullOver: limit(reader, 'fail-on-pull-over'),
    summary: reader.flag('summary'),
    buildRecord: reader.flag('build-record'),
  }
  if (inputs.builder !== undefined && inputs.endpoints.length > 0)
    reader.mistake('endpoints', inputs.endpoints.join(' '), 'and builder both name a builder: give one of them')
  if (inputs.driver !== undefined && inputs.endpoints.length + (inputs.builder === undefined ? 0 : 1) > 0)
    reader.mistake('driver', inputs.driver, 'is of a builder that is made, but builder or endpoints name one')
  if (inputs.driverOpts.length > 0 && inputs.builder !== undefined)
    reader.mistake('driver-opts', inputs.driverOpts.join(' '), 'are of a builder that is made, but builder names one')
  return inputs
}

function endpoints(reader: InputReader): readonly string[] {
  const given = reader.list('endpoints')
  for (const endpoint of given) {
    if (!ENDPOINT.test(endpoint)) reader.mistake('endpoints', endpoint, 'is not an address such as tcp://host:1234')
  }
  return [...new Set(given)]
}

function driver(reader: InputReader): RunInputs['driver'] {
  const text = reader.text('driver')
  if (text === undefined) return undefined
  const found = DRIVERS.find((name) => name === text)
  if (found === undefined)
    reader.mistake('driver', text, `is not one of ${DRIVERS.join(', ')}; remote ones are endpoints`)
  return found
}

function buildxVersion(reader: InputReader): string {
  const text = reader.text('buildx-version') ?? ''
  if (!/^v\d+\.\d+\.\d+(-[\w.]+)?$/.test(text))
    reader.mistake('buildx-version', text, 'is not a version such as v0.33.0')
  return text
}

function limit(reader: InputReader, name: string): number | undefined {
  const text = reader.text(name)
  if (text === undefined) return undefined
  const parsed = parseBytes(text)
  if (parsed === undefined) reader.mistake(name, text, 'is not a size such as 500MB, 1GB or 2GiB')
  return parsed
}
