/** Takes secrets out of a text before anybody sees it: known values, and user:password parts of URLs. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@')
  for (const secret of secrets) {
    for (const line of secret.split(/\r?\n/)) {
      if (line.trim().length >= 4) clean = clean.replaceAll(line, '***')
    }
  }
  return clean
}
