import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Entries that an action.yml runs, each a bundle of its own. */
const BUNDLES = ['main', 'post', 'check', 'task', 'cli']

const root = join(import.meta.dirname, '../..')

run('tsc', ['-p', 'tsconfig.build.json'])
for (const name of BUNDLES) {
  const target = join('dist', name)
  rmSync(join(root, target), { recursive: true, force: true })
  mkdirSync(join(root, target), { recursive: true })
  run('ncc', ['build', `lib/entry/${name}.js`, '--out', target, '--license', 'licenses.txt', '--minify', '--quiet'])
  // ncc leaves stubs of TypeScript's declarations behind; the bundle needs none.
  for (const file of readdirSync(join(root, target))) {
    if (file.endsWith('.d.ts')) rmSync(join(root, target, file))
  }
  writeFileSync(join(root, target, 'package.json'), '{ "type": "module" }\n')
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
