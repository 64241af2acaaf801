import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runProgram } from './run-program.ts'
import { ServiceError } from './service-error.ts'

/** The path of a program on PATH or in the administrator's folders, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

/**
 * The path of a program that a Debian package of the same name brings; installs the package when it is missing.
 * @param purpose what it is needed for, ends the sentence "<name> is missing, which ..."
 * @throws ServiceError that says what is missing and how to get it
 */
export async function ensureDebianProgram(name: string, purpose: string, log: (line: string) => void): Promise<string> {
  const present = findProgram(name)
  if (present !== undefined) return present
  const apt = findProgram('apt-get')
  if (apt === undefined || process.getuid?.() !== 0) {
    throw new ServiceError(
      `${name} is missing, which ${purpose}: install the package ${name} (apt-get install ${name}).`,
    )
  }
  log(`Installing the Debian package ${name}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  try {
    await runProgram(apt, ['update', '-q'], { env })
    await runProgram(apt, ['install', '-q', '-y', '--no-install-recommends', name], { env })
  } catch (error) {
    throw new ServiceError(
      `${name} is missing, which ${purpose}, and apt-get could not install it: install it by hand.`,
      {
        cause: error,
      },
    )
  }
  const installed = findProgram(name)
  if (installed === undefined)
    throw new ServiceError(`The package ${name} brought no program ${name}: put one on PATH.`)
  return installed
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
