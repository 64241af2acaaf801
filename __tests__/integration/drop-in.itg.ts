import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type GitServer, startGitServer } from '../support/git-server.ts'
import { imageFacts } from '../support/image-facts.ts'
import { type JobRun, LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig
let git: GitServer

beforeAll(async () => {
  rig = await LineRig.create()
  git = await startGitServer('read-only')
  const program = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
  await symlink(program, join(rig.workspace.bin, 'git'))
  await rig.workspace.write('hello.txt', 'hello\n')
  await rig.workspace.write('other/file.txt', 'other\n')
  await rig.workspace.write('secret.txt', 'first\nsecond')
  await rig.workspace.write('env.txt', 'of the job')
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(join(rig.workspace.workspace, 'key.pem'), pem, { mode: 0o600 })
}, 10 * minutes)
afterAll(async () => {
  await git.close()
  await rig.close()
}, minutes)

interface Row {
  /** The inputs of docker/build-push-action that it is about, beside tags, push, builder and provenance. */
  readonly of: string
  readonly dockerfile: string
  readonly inputs: Readonly<Record<string, string>>
  /** What plain buildx is given for the same. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A build whose commands write into /seen what they see; nothing else is in its image. */
function seeing(...steps: readonly string[]): string {
  return `FROM python:3.11-slim AS run\n${steps.join('\n')}\nFROM scratch\nCOPY --from=run /seen /seen\n`
}

const ROWS: readonly Row[] = [
  {
    of: 'add-hosts, build-args, secrets, secret-envs, secret-files, shm-size, ssh, ulimit',
    dockerfile: seeing(
      'ARG A=0\nARG B=0',
      'RUN grep db /etc/hosts > /seen && echo "$A $B" >> /seen && ulimit -n >> /seen',
      'RUN df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2 >> /seen',
      'RUN --mount=type=secret,id=a cat /run/secrets/a >> /seen',
      'RUN --mount=type=secret,id=b,env=B echo "$B" >> /seen',
      'RUN --mount=type=secret,id=c cat /run/secrets/c >> /seen',
      'RUN --mount=type=ssh,id=deploy,required test -S "$SSH_AUTH_SOCK" && echo yes >> /seen',
    ),
    inputs: {
      ...{
        'add-hosts': 'db:10.1.2.3,db2:10.1.2.4',
        'build-args': 'A=1,2\nB',
        'shm-size': '32m',
        ulimit: 'nofile=321:321',
      },
      ...{
        secrets: '"a=first\nsecond"',
        'secret-envs': 'b=FROM_JOB',
        'secret-files': 'c=secret.txt',
        ssh: 'deploy=key.pem',
      },
    },
    args: [
      ...[
        '--add-host',
        'db:10.1.2.3',
        '--add-host',
        'db2:10.1.2.4',
        '--build-arg',
        'A=1,2',
        '--build-arg',
        'B=from the job',
      ],
      ...['--shm-size', '32m', '--ulimit', 'nofile=321:321', '--secret', 'id=a,src=secret.txt'],
      ...['--secret', 'id=b,src=env.txt', '--secret', 'id=c,src=secret.txt', '--ssh', 'deploy=key.pem'],
    ],
    env: { B: 'from the job', FROM_JOB: 'of the job' },
  },
  {
    of: 'build-contexts, file, labels, no-cache, platforms, pull, target, cgroup-parent, annotations',
    dockerfile:
      'FROM scratch AS one\nARG TARGETARCH\nCOPY --from=lib file.txt /$TARGETARCH\nFROM scratch\nCOPY hello.txt /two\n',
    inputs: {
      ...{ 'build-contexts': 'lib=other', file: 'Dockerfile', target: 'one', labels: 'team=ml\ntitle=a, b=c' },
      ...{ platforms: 'linux/amd64,linux/arm64', pull: 'true', 'no-cache': 'true', 'cgroup-parent': 'ci' },
      annotations: 'manifest:team=ml',
    },
    args: [
      ...['--build-context', 'lib=other', '--file', 'Dockerfile', '--target', 'one', '--label', 'team=ml'],
      ...['--label', 'title=a, b=c', '--platform', 'linux/amd64,linux/arm64', '--pull', '--no-cache'],
      ...['--cgroup-parent', 'ci', '--annotation', 'manifest:team=ml'],
    ],
  },
  {
    of: 'network',
    dockerfile: seeing('RUN ls /sys/class/net > /seen'),
    inputs: { network: 'none' },
    args: ['--network', 'none'],
  },
  {
    of: 'network, allow, no-cache-filters',
    dockerfile: seeing('RUN echo links && ls /sys/class/net > /seen'),
    inputs: { network: 'host', allow: 'network.host', 'no-cache-filters': 'run' },
    args: ['--network', 'host', '--allow', 'network.host', '--no-cache-filter', 'run'],
  },
]

test.each(ROWS)(
  '$of: the image is the one that plain buildx makes',
  async ({ of, dockerfile, inputs, args, env }) => {
    const name = `drop-in/${ROWS.findIndex((row) => row.of === of)}`
    await rig.workspace.write('Dockerfile', dockerfile)
    const given = rig.inputs(`${name}:ours`)
    const contexts = [given['build-contexts'], inputs['build-contexts']].join('\n')
    const ours = await rig.run({ ...given, provenance: 'false', ...inputs, 'build-contexts': contexts }, env ?? {})
    expect(errorsOf(ours)).toEqual([])
    const plain = await rig.buildx(
      ...['build', '--provenance=false', '--tag', `${rig.registry}/${name}:plain`, '--push', ...args],
      ...['--build-context', given['build-contexts'] ?? '', '.'],
    )
    expect(plain.exitCode === 0 ? '' : plain.stderr).toBe('')
    for (const platform of inputs.platforms?.split(',') ?? ['linux/amd64']) {
      const [wanted, made] = await Promise.all(
        ['plain', 'ours'].map((tag) => imageFacts(rig, `${name}:${tag}`, platform)),
      )
      expect(wanted?.files.length).toBeGreaterThan(0)
      expect(made).toEqual(wanted)
    }
  },
  minutes,
)

describe('attestations', () => {
  /** What is attested of an image, as buildx tells it. */
  async function attested(tag: string): Promise<string> {
    const format = '{{json .Provenance}}'
    const { stdout } = await rig.buildx('imagetools', 'inspect', `${rig.registry}/attested:${tag}`, '--format', format)
    return stdout
  }

  test.each([
    ['the default of a public repository tells all', 'public', {}, true],
    ['the default of a private one tells the least', 'private', {}, false],
    ['provenance by attests is as asked for', 'attests', { attests: 'type=provenance,mode=min' }, false],
  ])(
    '%s',
    async (_, tag, inputs, tellsAll) => {
      await rig.workspace.write('Dockerfile', 'FROM scratch\nCOPY hello.txt /\n')
      const event = join(rig.workspace.workspace, 'event.json')
      await writeFile(event, JSON.stringify({ repository: { private: tag === 'private' } }))
      const run = await rig.run(rig.inputs(`attested:${tag}`, inputs), { GITHUB_EVENT_PATH: event })
      expect(errorsOf(run)).toEqual([])
      const text = await attested(tag)
      expect([text.includes('SLSA'), text.includes('llbDefinition')]).toEqual([true, tellsAll])
      expect(text.includes('https://github.com/team/app/actions/runs/1')).toBe(tag !== 'attests')
    },
    minutes,
  )
})

describe('a git context', () => {
  const files = { 'app/Dockerfile': 'FROM scratch\nCOPY file.txt /\n', 'app/file.txt': 'from git\n' }
  const job = (commit: string) => ({ GITHUB_SERVER_URL: git.url, GITHUB_SHA: commit })
  const inputs = (tag: string, more: Readonly<Record<string, string>> = {}) =>
    rig.inputs(`git:${tag}`, { context: '{{defaultContext}}:app', 'github-token': 'read-only', ...more })

  test(
    'is built from the commit of the run, with the token, and found again at another commit of the same files',
    async () => {
      const first = await rig.run(inputs('one'), job(await git.commit('team/app', files)))
      expect(errorsOf(first)).toEqual([])
      expect(first.outputs.get('skipped')).toBe('false')
      const second = await rig.run(
        inputs('two'),
        job(await git.commit('team/app', { ...files, 'README.md': 'more\n' })),
      )
      expect(second.outputs.get('skipped')).toBe('true')
      expect(second.outputs.get('digest')).toBe(first.outputs.get('digest'))
    },
    minutes,
  )

  test(
    'that may not be read fails, and the token is not shown',
    async () => {
      const commit = await git.commit('team/app', files)
      const run = await rig.run(inputs('no', { 'github-token': 'wrong-token' }), job(commit))
      expect(run.exitCode).toBe(1)
      expect(errorsOf(run).join()).toContain("can't be fetched")
      expect(`${run.stdout}${run.stderr}${run.summary}`).not.toContain('wrong-token')
    },
    minutes,
  )

  test(
    'of a server that is not the run’s own gets no token',
    async () => {
      const commit = await git.commit('team/app', files)
      const before = git.refused()
      const run = await rig.run(inputs('no', { context: `${git.url}/team/app.git#${commit}` }))
      expect([run.exitCode, git.refused() > before]).toEqual([1, true])
    },
    minutes,
  )
})

describe('call: check', () => {
  test(
    'lints the Dockerfile and builds nothing',
    async () => {
      await rig.workspace.write('Dockerfile', 'FROM scratch AS Base\nCOPY hello.txt /\n')
      const bad = await rig.run(rig.inputs('called:1', { call: 'check' }))
      expect(bad.exitCode).toBe(1)
      expect(bad.stdout).toContain('StageNameCasing')
      await rig.workspace.write('Dockerfile', 'FROM scratch\nCOPY hello.txt /\n')
      const good = await rig.run(rig.inputs('called:1', { call: 'check' }))
      expect([good.exitCode, good.outputs.get('digest')]).toEqual([0, ''])
      expect(await digestOfTag(`${rig.services.registry}/called`, '1')).toBeUndefined()
    },
    minutes,
  )
})

test(
  'the switches of docker/build-push-action leave out warnings and summary',
  async () => {
    await rig.workspace.write('Dockerfile', 'FROM scratch AS Base\nCOPY hello.txt /quiet\n')
    const env = { DOCKER_BUILD_SUMMARY: 'false', DOCKER_BUILD_CHECKS_ANNOTATIONS: 'false' }
    const loud = await rig.run(rig.inputs('switched:1'))
    expect([loud.summary === '', JSON.stringify(loud.annotations).includes('Base')]).toEqual([false, true])
    const quiet = await rig.run(rig.inputs('switched:2', { force: 'true' }), env)
    expect([quiet.summary, JSON.stringify(quiet.annotations).includes('Base')]).toEqual(['', false])
  },
  minutes,
)

function errorsOf(run: JobRun): readonly string[] {
  const said = run.annotations.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line))
  return run.exitCode === 0 ? said : [`exit code ${run.exitCode}`, ...said]
}
