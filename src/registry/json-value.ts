export {
  isJsonList,
  isJsonRecord,
  type JsonRecord,
  parseJson,
  textField,
  textList,
  textRecord,
} from '../base/json-value.ts'
