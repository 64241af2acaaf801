import { type KeptLayer, readKeptLayer } from '../assemble/kept-layer.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { storeKey } from '../stores/store-key.ts'
import { recallNote, saveNote } from './notes.ts'

/** Layers by the hex digits of their keys. */
export type RememberedLayers = ReadonlyMap<string, KeptLayer>

/** The layers of the last composed image of this kind; none where there was none or the store can't tell. */
export async function recallLayers(
  inputs: BuildInputs,
  repository: RepositoryName,
  store: Store,
): Promise<RememberedLayers> {
  const note = await recallNote(layersKey(inputs, repository), store)
  const json = note === undefined ? undefined : parseJson(note)
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
  saveNote(layersKey(inputs, repository), body, deps)
}

function layersKey(inputs: BuildInputs, repository: RepositoryName): StoreKey {
  return storeKey('layers', inputs.salt, {
    repository: formatRepository(repository),
    target: inputs.target,
    platforms: inputs.platforms,
    compression: inputs.compression,
  })
}
