import { describe, expect, test } from '@jest/globals'
import { readRequirement } from '../../src/python/requirement-line.ts'

describe('readRequirement', () => {
  test.each([
    ['Flask', 'flask', 'flask'],
    ['scikit_learn >= 1.0 , < 2', 'scikit-learn', 'scikit-learn>=1.0,<2'],
    ['uvicorn[standard, Watch_Files]==0.30.*', 'uvicorn', 'uvicorn[standard,watch-files]==0.30.*'],
    ["torch==2.7.0+cpu; sys_platform == 'linux'", 'torch', "torch==2.7.0+cpu ; sys_platform == 'linux'"],
    ['legacy (>=1.2)', 'legacy', 'legacy>=1.2'],
    ['trailing>=1,', 'trailing', 'trailing>=1'],
    ['weird===1.0-custom', 'weird', 'weird===1.0-custom'],
    ['empty[]', 'empty', 'empty'],
  ])('reads %s', (text, name, spelled) => {
    expect(readRequirement(text)).toEqual({ name, text: spelled })
  })

  test.each([
    ['git+https://git.example/a/b@main#egg=b', 'version control'],
    ['b @ git+ssh://git@git.example/a/b', 'version control'],
    ['b @ https://index.example/b-1.0-py3-none-any.whl', 'names a URL'],
    ['https://index.example/b.tar.gz', 'names a URL'],
    ['b @ file:///wheels/b.whl', 'names a URL'],
    ['./local', 'local path'],
    ['..', 'local path'],
    ['wheels/b-1.0-py3-none-any.whl', 'local path'],
    ['b-1.0-py3-none-any.whl', 'local path'],
    ['not a requirement', 'PEP 508'],
    ['name>=', 'PEP 508'],
    ['name==1;', 'PEP 508'],
  ])('refuses %s because of its %s', (text, reason) => {
    expect(readRequirement(text)).toEqual({ sentence: expect.stringContaining(reason) })
  })

  test('keeps a password in a URL out of the sentence', () => {
    const read = readRequirement('b @ https://user:hidden-word@index.example/b.whl')
    expect(JSON.stringify(read)).not.toContain('hidden-word')
  })
})
