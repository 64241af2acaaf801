import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'

/** A text that an input holds or names. */
export interface GivenText {
  readonly text: string
  /** What messages call it: the path, or the input's name. */
  readonly place: string
}

/**
 * Reads an input that takes a text itself or the path of a file with it.
 * @param input its name
 * @param path what a value that is a path looks like
 * @throws ImageCacheError E_INPUT when the file can't be read
 */
export async function givenText(input: string, given: string, path: RegExp, workspace: string): Promise<GivenText> {
  if (!path.test(given)) return { text: given, place: input }
  return { text: await inputFile(input, given, workspace), place: given }
}

/** A file that an input names. @throws ImageCacheError E_INPUT when it can't be read */
export async function inputFile(input: string, path: string, folder: string): Promise<string> {
  return await readFile(resolve(folder, path), 'utf8').catch((cause: unknown) => {
    throw new ImageCacheError('E_INPUT', `${input}: ${JSON.stringify(path)} can't be read`, {
      hint: 'Give the path of a file in the workspace, or its text itself.',
      cause,
    })
  })
}
