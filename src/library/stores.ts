/**
 * Where records and results are kept. All stores have one interface, and none of its calls throws.
 *
 * @module stores
 */
export { openStore, type StoreOptions } from '../entry/open-store.ts'
export type {
  Fetch,
  FetchFile,
  LookUp,
  Miss,
  OpenFile,
  Save,
  Store,
  StoreKey,
  Unavailable,
} from '../stores/store.ts'
