/**
 * Errors that a program can act on; everything else that is thrown is a bug of ours. Each code has a page in
 * `docs/errors`.
 *
 * @module errors
 */
export { type ErrorCode, type ErrorDetails, ImageCacheError } from '../base/errors.ts'
