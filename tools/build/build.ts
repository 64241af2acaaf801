import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { minify } from '@swc/core'

/** What an action.yml or the package runs, as `dist/<name>/index.js`; named after its file in `src/entry`. */
const ENTRIES = ['main', 'post', 'check', 'task', 'merge', 'bake', 'cli']

/**
 * The bundle that they share: each entry loads its own chunks of it, and libraries of megabytes (GitHub's cache client,
 * the S3 client) lie in `dist/` once.
 */
const BUNDLE = 'bundle'

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')

run('tsc', ['-p', 'tsconfig.build.json'])
rmSync(dist, { recursive: true, force: true })
writeFileSync(join(root, 'lib/entry', `${BUNDLE}.js`), bundleSource())
run('ncc', ['build', `lib/entry/${BUNDLE}.js`, '--out', `dist/${BUNDLE}`, '--license', 'licenses.txt', '--quiet'])
for (const file of readdirSync(join(dist, BUNDLE))) {
  const path = join(dist, BUNDLE, file)
  // ncc leaves stubs of TypeScript's declarations behind; the bundle needs none.
  if (file.endsWith('.d.ts')) rmSync(path)
  else if (file.endsWith('.js')) await minifyFile(path)
}
declareModule(BUNDLE)
for (const name of ENTRIES) {
  mkdirSync(join(dist, name))
  const path = join(dist, name, 'index.js')
  writeFileSync(path, `#!/usr/bin/env node\nimport { start } from '../${BUNDLE}/index.js'\n\nawait start('${name}')\n`)
  if (name === 'cli') chmodSync(path, 0o755)
  declareModule(name)
}

function bundleSource(): string {
  const lines = ENTRIES.map((name) => `  ${name}: () => import('./${name}.js'),`)
  return `const ENTRIES = {\n${lines.join('\n')}\n}\n\nexport const start = (name) => ENTRIES[name]()\n`
}

/** ncc makes its first file small, but no chunk. GitHub's cache client compares names of classes: they are kept. */
async function minifyFile(path: string): Promise<void> {
  const { code } = await minify(readFileSync(path, 'utf8'), {
    module: true,
    compress: false,
    mangle: { keep_classnames: true, keep_fnames: true },
    format: { comments: false },
  })
  writeFileSync(path, code)
}

function declareModule(folder: string): void {
  writeFileSync(join(dist, folder, 'package.json'), '{ "type": "module" }\n')
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
