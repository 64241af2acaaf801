import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

execFileSync('node', [join(root, 'tools/build/build.ts')], { cwd: root, stdio: 'inherit' })
// Plain `git diff` would miss the files of new chunks.
const changed = execFileSync('git', ['status', '--porcelain', 'dist'], { cwd: root, encoding: 'utf8' })
if (changed !== '') {
  console.error(`dist/ is not what the sources make of it. Run npm run build and commit:\n${changed}`)
  process.exit(1)
}
console.log('dist/ is fresh')
