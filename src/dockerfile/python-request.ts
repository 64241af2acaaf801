/**
 * Whether uv takes the base image's own Python for a request such as `3.12`, `python3.12` or `/usr/local/bin/python3`
 * (uv's documentation, "Requesting a version").
 * @param full version of the base image's Python: `3.12.4`; undefined when it doesn't tell.
 */
export function meansBasePython(request: string, full: string | undefined): boolean {
  const [, version] = /^(?:\/usr\/local\/bin\/)?(?:c?python|cp)?(3(?:\.\d+){0,2})?$/.exec(request) ?? []
  if (request === '' || full === undefined) return false
  if (version === undefined) return /^(?:\/usr\/local\/bin\/)?python$/.test(request)
  return version === full || full.startsWith(`${version}.`)
}
