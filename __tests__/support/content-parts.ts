import { digestOf } from '../../src/base/digest.ts'
import type { ContentKeyParts } from '../../src/image/content-key.ts'

/** Parts of a content key of which tests change one or the other. */
export const parts: ContentKeyParts = {
  salt: '',
  dockerfile: 'FROM python:3.12-slim\n',
  target: undefined,
  platforms: ['linux/amd64', 'linux/arm64'],
  builderPlatform: undefined,
  buildArgs: new Map([['A', '1']]),
  context: digestOf('context'),
  namedContexts: new Map(),
  images: new Map([['python:3.12-slim', digestOf('base')]]),
  labels: new Map([['team', 'ml']]),
  annotations: ['manifest:team=ml'],
  secretIds: ['token'],
  provenance: undefined,
  sbom: undefined,
  compression: 'zstd',
  outputs: [],
  layers: { installer: 'uv:1', maxLayers: 8, maxLayerSize: 1e9, pins: [], heavy: [], python: undefined },
}
