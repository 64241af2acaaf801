import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { moveTags } from './move-tags.ts'
import { planRelease, releaseNotes } from './plan-release.ts'

/**
 * The steps of .github/workflows/release.yml that are more than a line:
 * `plan TAG` checks a tag and sets outputs, `notes TAG` prints its section of the changelog, `move COMMIT TAG...` moves
 * tags.
 */
const root = join(import.meta.dirname, '../..')
const [command, ...args] = process.argv.slice(2)
const [first = '', ...others] = args
if (command === 'plan') plan(first)
else if (command === 'notes') console.log(releaseNotes(read('CHANGELOG.md'), first))
else if (command === 'move') await moveTags(others, first, placeOf(process.env))
else throw new Error('usage: release.ts plan TAG | notes TAG | move COMMIT TAG...')

function plan(tag: string): void {
  const planned = planRelease({
    tag,
    packageVersion: JSON.parse(read('package.json')).version,
    changelog: read('CHANGELOG.md'),
    tags: git('tag', '--list').split('\n'),
    isOnMain: git('branch', '--remotes', '--contains', `${tag}^{commit}`).split(/\s+/).includes('origin/main'),
  })
  if (!('version' in planned)) {
    for (const mistake of planned) console.error(`::error::${mistake}`)
    process.exit(1)
  }
  const { npmTag, isPrerelease, isLatest, move } = planned
  const outputs = `npm-tag=${npmTag}\nprerelease=${isPrerelease}\nlatest=${isLatest}\nmove=${move.join(' ')}\n`
  process.stdout.write(outputs)
  if (process.env.GITHUB_OUTPUT) appendFileSync(process.env.GITHUB_OUTPUT, outputs)
}

function placeOf({ GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token }: NodeJS.ProcessEnv) {
  if (!api || !repository || !token) throw new Error('GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN must be set')
  return { api, repository, token }
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' })
}
