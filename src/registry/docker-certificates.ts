import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, ImageCacheError } from '../base/errors.ts'
import type { CertificateSource, HostCertificates } from './connections.ts'

/** Where Docker looks (docs.docker.com, "Verify repository client with certificates"). */
export const DOCKER_CERTIFICATE_FOLDERS = ['/etc/docker/certs.d']

/**
 * Certificates that Docker was given for a registry: in `<folder>/<host:port>/`, a `.crt` is a CA to be trusted, a
 * `.cert` with the `.key` of the same name is shown to the registry.
 * @param folders the first that has a folder for the host counts; they needn't exist
 */
export function dockerCertificates(folders: readonly string[]): CertificateSource {
  return {
    async certificatesFor(host) {
      for (const folder of folders) {
        const found = await readHostFolder(join(folder, host))
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

/** @throws ImageCacheError E_REGISTRY when there are certificates that can't be read */
async function readHostFolder(folder: string): Promise<HostCertificates | undefined> {
  const names = await namesIn(folder)
  if (names === undefined) return undefined
  const read = (name: string) =>
    readFile(join(folder, name), 'utf8').catch((error: unknown) => unreadable(folder, error))
  const ca = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read))
  const [cert] = names.filter((name) => name.endsWith('.cert'))
  if (cert === undefined) return { ca }
  const key = cert.replace(/\.cert$/, '.key')
  if (!names.includes(key)) {
    throw new ImageCacheError('E_REGISTRY', `${join(folder, cert)} has no ${key} beside it`, {
      hint: 'Put the key of the client certificate there, or take the certificate away.',
    })
  }
  return { ca, client: { cert: await read(cert), key: await read(key) } }
}

async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    return unreadable(folder, error)
  }
}

function unreadable(folder: string, cause: unknown): never {
  throw new ImageCacheError('E_REGISTRY', `the certificates in ${folder} can't be read`, {
    hint: 'Check the permissions of the folder and its files.',
    cause,
  })
}
