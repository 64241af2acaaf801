import { redact } from '../base/redact.ts'
import type { Exec } from '../exec/exec.ts'

const COMMIT = /^[0-9a-f]{40}$/

/**
 * The commit that a ref of another repository stands for now; no request when it is a commit itself.
 * @param ref branch, tag or full ref; the default branch when undefined
 * @throws Error when the repository can't be asked or has no such ref
 */
export async function gitCommit(
  exec: Exec,
  url: string,
  ref: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  if (ref !== undefined && COMMIT.test(ref)) return ref
  const name = ref ?? 'HEAD'
  // A tag that is an object of its own is asked for its commit as well.
  const args = ['ls-remote', '--', url, name, `${name}^{}`]
  const { exitCode, stdout, stderr } = await exec.run('git', args, {
    env: { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    ...(signal === undefined ? {} : { signal }),
  })
  if (exitCode !== 0) throw new Error(redact(`git ls-remote ${url} failed: ${stderr.trim().split('\n')[0]}`))
  const found = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const [commit = '', full = ''] = line.split('\t')
        return [full, commit]
      }),
  )
  const places = [name, `refs/heads/${name}`, `refs/tags/${name}`].flatMap((full) => [`${full}^{}`, full])
  const commit = places.map((full) => found.get(full)).find((value) => value !== undefined)
  if (commit === undefined || !COMMIT.test(commit)) throw new Error(redact(`${url} has no ref ${name}`))
  return commit
}
