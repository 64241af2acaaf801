import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

/** Git repositories over HTTP, served by git's own program, to whoever has the token. */
export interface GitServer {
  /** `http://127.0.0.1:PORT`, the server's address as `GITHUB_SERVER_URL` has it. */
  readonly url: string
  /** Makes `org/name.git` out of files; answers its commit. */
  commit(repository: string, files: Readonly<Record<string, string>>): Promise<string>
  /** Requests that were refused, because they had no token. */
  refused(): number
  close(): Promise<void>
}

/** @param token what clients must log in with, as the password of any user */
export async function startGitServer(token: string): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), 'git-server-'))
  const exec = new SpawnExec()
  let refused = 0
  const server = createServer((request, answer) => {
    const [, login = ''] = /^basic (.*)$/i.exec(request.headers.authorization ?? '') ?? []
    if (!Buffer.from(login, 'base64').toString().endsWith(`:${token}`)) {
      refused += 1
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    const env = {
      ...{ PATH: process.env.PATH, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: pathname },
      ...{ QUERY_STRING: search.slice(1), REQUEST_METHOD: request.method, REMOTE_USER: 'test' },
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
    }
    const git = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
    request.pipe(git.stdin)
    const parts: Buffer[] = []
    git.stdout.on('data', (part: Buffer) => parts.push(part))
    git.once('close', () => {
      const whole = Buffer.concat(parts)
      const end = whole.indexOf('\r\n\r\n')
      const headers = whole.subarray(0, end).toString().split('\r\n')
      const fields = headers.map((line) => line.split(/: (.*)/, 2)).filter(([name]) => name !== 'Status')
      const status = Number(/^Status: (\d+)/m.exec(headers.join('\n'))?.[1] ?? 200)
      answer.writeHead(status, Object.fromEntries(fields)).end(whole.subarray(end + 4))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    refused: () => refused,
    commit: async (repository, files) => {
      const cwd = join(root, `${repository}.git`)
      await mkdir(cwd, { recursive: true })
      const git = async (args: readonly string[], input = ''): Promise<string> => {
        const { exitCode, stdout, stderr } = await exec.run('git', args, { cwd, input })
        if (exitCode !== 0) throw new Error(`git ${args[0]} failed: ${stderr}`)
        return stdout.trim()
      }
      await git(['init', '--quiet', '--bare', '--initial-branch=main'])
      for (const [path, text] of Object.entries(files)) {
        const blob = await git(['hash-object', '-w', '--stdin'], text)
        await git(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`])
      }
      const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost']
      const commit = await git([...identity, 'commit-tree', '-m', 'Change', await git(['write-tree'])])
      await git(['update-ref', 'refs/heads/main', commit])
      return commit
    },
    close: async () => {
      await new Promise((done) => server.close(done))
      await rm(root, { recursive: true, force: true })
    },
  }
}
