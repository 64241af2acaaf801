import { redact } from '../base/redact.ts'
import { parseStoreSetting, type StoreSetting } from '../stores/store-setting.ts'
import type { InputReader } from './input-reader.ts'

/** Reads where entries are kept; a mistake counts as `auto`. */
export function readStore(reader: InputReader): StoreSetting {
  const text = reader.text('store') ?? ''
  const setting = parseStoreSetting(text)
  if (typeof setting !== 'object' || !('wrong' in setting)) return setting
  reader.mistake('store', redact(text), setting.wrong)
  return 'auto'
}
