/**
 * Where an answer's `Location` leads, relative or absolute: a redirect, or the address of an upload.
 * @returns the URL, or what is wrong with it; an answer over https may not lead to plain http
 */
export function redirectTarget(from: URL, location: string): URL | string {
  if (location === '' || !URL.canParse(location, from.href)) return 'leads to an address that is no URL'
  const url = new URL(location, from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `leads to ${url.protocol}, which is not http`
  if (url.protocol === 'http:' && from.protocol === 'https:') return `leads to ${url.origin}, away from https`
  return url
}
