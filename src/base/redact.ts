/** Names of query parameters whose values are as good as a login: upload states of registries, signed URLs. */
const SIGNED = /([?&](?:_state|sig|signature|token|x-amz-(?:signature|credential|security-token))=)[^&\s"']+/gi

/** Takes secrets out of a text before anybody sees it: known values, logins and signatures in URLs. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1***@').replace(SIGNED, '$1***')
  for (const secret of secrets) {
    for (const line of secret.split(/\r?\n/)) {
      if (line.trim().length >= 4) clean = clean.replaceAll(line, '***')
    }
  }
  return clean
}
