/** A truth value as uv reads its variables (clap, `BoolishValueParser`). */
export function uvFlag(text: string | undefined): boolean {
  return /^(?:1|true|t|yes|y|on)$/i.test(text ?? '')
}
