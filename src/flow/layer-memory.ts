import { type KeptLayer, readKeptLayer } from '../assemble/kept-layer.ts'
import { hexOf } from '../base/digest.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import { keyHash } from '../base/key-hash.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, storeKey, withValue } from '../stores/store-key.ts'

/** Layers by the hex digits of their keys. */
export type RememberedLayers = ReadonlyMap<string, KeptLayer>

/** The layers of the last composed image of this kind; none where there was none or the store can't tell. */
export async function recallLayers(
  inputs: BuildInputs,
  repository: RepositoryName,
  store: Store,
): Promise<RememberedLayers> {
  const prefix = layersKey(inputs, repository)
  const found = await store.fetch(prefix)
  if (found.kind !== 'hit' || !answersPrefix(found.key, prefix)) return new Map()
  const json = parseJson(found.body)
  if (!isJsonRecord(json)) return new Map()
  return new Map(
    Object.entries(json).flatMap(([key, value]) => {
      const layer = readKeptLayer(value)
      return layer === undefined ? [] : [[key, layer] as const]
    }),
  )
}

/** Notes the layers of a composed image. The newest note counts. */
export function rememberLayers(
  inputs: BuildInputs,
  repository: RepositoryName,
  layers: RememberedLayers,
  deps: Deps,
): void {
  const body = JSON.stringify(Object.fromEntries([...layers].sort(([a], [b]) => (a < b ? -1 : 1))))
  const time = Math.floor(deps.clock.now()).toString(36).padStart(9, '0')
  deps.saveLater({ key: withValue(layersKey(inputs, repository), `${time}-${hexOf(keyHash(body))}`), body })
}

function layersKey(inputs: BuildInputs, repository: RepositoryName): StoreKey {
  return storeKey('layers', inputs.salt, {
    repository: formatRepository(repository),
    target: inputs.target,
    platforms: inputs.platforms,
    compression: inputs.compression,
  })
}
