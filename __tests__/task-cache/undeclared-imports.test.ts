import { expect, test } from '@jest/globals'
import { relativeImports } from '../../src/task-cache/undeclared-imports.ts'

test.each<[string, string, readonly string[]]>([
  [
    'a.mjs',
    "import a from './a.js'\nimport 'lib'\nexport * from '../b.js'\nawait import('./c.js')",
    ['./a.js', '../b.js', './c.js'],
  ],
  ['a.ts', "import type { A } from './types.ts'\nimport { b } from './b.ts'\nconst x: number = 1", ['./b.ts']],
  ['a.cjs', "const a = require('./a')\nconst b = require('b')", ['./a']],
  ['a.mjs', "// import './no.js'\nconst text = \"import './no.js'\"", []],
  ['a.mjs', 'this is } no script', []],
  [
    'a.py',
    'from . import x, y\nfrom .mod import z\nfrom ..up.deep import q\nimport os\nfrom lib import w',
    ['.x', '.y', '.mod', '..up.deep'],
  ],
])('%s imports what it says: %j', async (path, text, expected) => {
  expect(await relativeImports(path, text)).toEqual(expected)
})
