import { describe, expect, test } from '@jest/globals'
import { pushOutput, withImageConfig } from '../../src/buildx/build-args.ts'
import { splitFields } from '../../src/buildx/option-fields.ts'

describe('an output with a configuration of ours', () => {
  test('holds it as one field, whatever is in it', () => {
    const config = JSON.stringify({ os: 'linux', config: { Cmd: ['a, "b"', "c='d'"], Labels: { 'a\nb': 'ü\\' } } })
    const fields = splitFields(pushOutput('zstd', config))
    expect(fields).toEqual(
      new Map([
        ['type', 'image'],
        ['push', 'true'],
        ['oci-mediatypes', 'true'],
        ['compression', 'zstd'],
        ['containerimage.config', config],
      ]),
    )
  })

  test('is the output alone without one', () => {
    expect(withImageConfig('type=docker', undefined)).toBe('type=docker')
    expect(pushOutput('gzip')).toBe('type=image,push=true,oci-mediatypes=true,compression=gzip')
  })
})
