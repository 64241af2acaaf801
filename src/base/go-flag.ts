/** A truth value as Go reads it (strconv.ParseBool), and with it buildx; undefined for any other text. */
export function goFlag(text: string | undefined): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text ?? '')) return true
  return /^(?:0|f|F|FALSE|false|False)$/.test(text ?? '') ? false : undefined
}
