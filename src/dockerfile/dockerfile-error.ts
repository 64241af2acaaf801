import { ImageCacheError } from '../base/errors.ts'

/** Throws an E_DOCKERFILE error that names file and line: `Dockerfile:12: unknown instruction: FORM`. */
export function failAt(fileName: string, line: number, message: string, cause?: unknown): never {
  throw new ImageCacheError('E_DOCKERFILE', `${fileName}:${line}: ${message}`, cause === undefined ? {} : { cause })
}
