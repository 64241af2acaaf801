import { mkdir, rm } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import type { Deps } from '../deps.ts'
import { readNamedContext } from '../image/named-context.ts'
import type { BuildInputs, BuildSecret } from '../inputs/build-inputs.ts'

type GitDeps = Pick<Deps, 'exec' | 'signal' | 'context' | 'env'>

/** BuildKit reads its token for git under this name (Dockerfile reference, "ADD", private git repositories). */
const TOKEN = 'GIT_AUTH_TOKEN'

/**
 * A git context becomes a folder: the commit is fetched without its history, submodules with it. From there on the build
 * is one of files, so that the same files have the same key whatever their commit. The build's own git steps get the
 * token as a secret. Anything but a git context stays as it is.
 * @throws ImageCacheError E_INPUT when the repository, the ref or the folder can't be had
 */
export async function fetchContext(inputs: BuildInputs, deps: GitDeps): Promise<BuildInputs> {
  const context = readNamedContext(inputs.context)
  if (context.kind === 'folder') return inputs
  if (context.kind !== 'git') throw mistake(inputs.context, 'is no folder and no git repository')
  if (inputs.tasks !== undefined) throw mistake(inputs.context, 'is a git repository, and tasks make files in a folder')
  const checkout = join(deps.context.tempDir, 'context')
  await mkdir(checkout, { recursive: true })
  const server = ownServer(context.url, deps.env)
  const git = gitIn(checkout, tokenConfig(server, inputs.githubToken), inputs, deps)
  await git('init', '--quiet')
  await git('fetch', '--quiet', '--depth=1', '--no-tags', '--', context.url, context.ref ?? 'HEAD')
  await git('checkout', '--quiet', '--force', 'FETCH_HEAD')
  await git('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1')
  // BuildKit leaves it out of a git context, too; each commit would be another content.
  await rm(join(checkout, '.git'), { recursive: true, force: true })
  const folder = resolve(checkout, context.folder)
  if (!`${folder}${sep}`.startsWith(`${checkout}${sep}`)) throw mistake(inputs.context, 'names a folder outside of it')
  const secrets = [...inputs.secrets, ...tokenSecrets(server, inputs)]
  const file = inputs.spec === undefined ? join(folder, inputs.file ?? 'Dockerfile') : undefined
  return { ...inputs, context: folder, file, secrets }
}

/** GitHub's own server when the address is there: nobody else gets the token. */
function ownServer(url: string, env: GitDeps['env']): URL | undefined {
  const own = URL.parse(env.GITHUB_SERVER_URL || 'https://github.com')
  const server = URL.parse(url)
  return server !== null && server.origin === own?.origin ? server : undefined
}

/** The secret under which BuildKit looks for a token of one server; a secret of the user's own for it wins. */
function tokenSecrets(server: URL | undefined, { githubToken, secrets }: BuildInputs): readonly BuildSecret[] {
  if (githubToken === undefined || server === undefined) return []
  const id = `${TOKEN}.${server.host}`
  if (secrets.some((secret) => secret.id === TOKEN || secret.id === id)) return []
  return [{ id, from: { kind: 'value', value: githubToken } }]
}

/** Configuration that hands the token to one server alone, kept off the command line. */
function tokenConfig(server: URL | undefined, token: string | undefined): Readonly<Record<string, string>> {
  if (token === undefined || server === undefined) return {}
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${server.origin}/.extraheader`,
    GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${basic}`,
  }
}

function gitIn(cwd: string, config: Readonly<Record<string, string>>, inputs: BuildInputs, deps: GitDeps) {
  const env = { GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...config }
  return async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await deps.exec.run('git', args, { cwd, env, signal: deps.signal })
    if (exitCode === 0) return
    const [line = ''] = redact(stderr, [inputs.githubToken ?? ''])
      .trim()
      .split('\n')
    throw mistake(inputs.context, `can't be fetched: ${line}`)
  }
}

function mistake(context: string, why: string): ImageCacheError {
  return new ImageCacheError('E_INPUT', `context: ${JSON.stringify(redact(context))} ${why}`, {
    hint: 'Give a folder, or a git repository such as https://github.com/org/app.git#main:folder, and a `github-token` that may read it.',
  })
}
