import { describe, expect, test } from '@jest/globals'
import { digestOutput } from '../../src/buildx/bake-plan.ts'
import { pushOutput, withImageConfig } from '../../src/buildx/build-args.ts'
import { splitFields } from '../../src/buildx/option-fields.ts'

const PUSH = 'type=image,push=true,oci-mediatypes=true'

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

describe('an output', () => {
  test('has the level of the compression that was asked for', () => {
    expect(pushOutput('zstd', undefined, { level: 0 })).toBe(`${PUSH},compression=zstd,compression-level=0`)
    expect(digestOutput('r.example/app', 'zstd', 19)).toMatch(/,compression=zstd,compression-level=19$/)
  })

  test('goes to repositories by digest alone', () => {
    const names = ',"name=r.example/a,r.example/b",push-by-digest=true,name-canonical=true'
    expect(pushOutput('gzip', undefined, { byDigest: ['r.example/a', 'r.example/b'] })).toBe(
      `${PUSH},compression=gzip${names}`,
    )
  })
})
