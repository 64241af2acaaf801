import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { pushOutput, withImageConfig } from '../../src/buildx/build-args.ts'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { type RenderedDockerfile, renderLinked } from '../../src/dockerfile/render-dockerfile.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { type FoundImage, imageConfig } from '../../src/registry/image-config.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { runProgram } from '../../tools/services/run-program.ts'
import {
  type BaseImages,
  type BuildkitVersion,
  baseImages,
  countingProxy,
  patchBase,
  type ServiceSet,
  startServices,
} from '../../tools/services/service-set.ts'
import { printedInside } from '../support/printed-inside.ts'

const minutes = 60_000
const PLATFORM = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64'

interface Shape {
  readonly dockerfile: string
  readonly args?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  readonly target?: string
}

/** Each is built as it is written and with its WORKDIRs lifted; `BASE` is the base image with Python. */
const shapes: Readonly<Record<string, Shape>> = {
  'a service': {
    dockerfile: `FROM BASE
WORKDIR /app
COPY app/ ./app/
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
`,
  },
  'commands of the shell': {
    dockerfile: `FROM BASE
WORKDIR /app
COPY . .
ENTRYPOINT exec   python "$0" && echo 'a "quoted" one'
CMD python -m app \\
    # a comment
    --name=\${NAME}   --tab="	"
`,
  },
  'an entry point that takes the base’s command away': {
    dockerfile: `FROM BASE
WORKDIR /app/
COPY app/main.py .
ENTRYPOINT ["python", "-c", "print(\\"<&>\\", 'ü')"]
`,
  },
  'a command above its entry point, and an empty one': {
    dockerfile: `FROM BASE AS one
WORKDIR /srv/one
CMD ["kept"]
ENTRYPOINT ["first"]
FROM one
COPY app/main.py main.py
ENTRYPOINT []
CMD []
`,
  },
  'variables with expansion and quotes': {
    dockerfile: `FROM BASE
ENV A=1 B="two words" C='$A "x"' D=a\\ b
ENV E \${A}-\${B:-x} \${NONE:-'d e'} \\$A
ENV A=\${A}2 PATH="/app/bin:$PATH" LANG=de F=$A
ENV G=\${PYTHON_VERSION%.*} H="\${B/two/2}" I=
WORKDIR /code
COPY app ./$A/
CMD ["x"]
`,
  },
  labels: {
    dockerfile: `FROM BASE
LABEL one=1 "two.words"="a b" \\
  three='$x' four="$LANG"
LABEL legacy a label of words
LABEL one=again
WORKDIR /code
COPY app .
`,
    labels: { 'org.opencontainers.image.title': 'a, "b" = c', one: 'flag' },
  },
  'exposed ports': {
    dockerfile: `FROM BASE
ARG PORT=9000
ENV MORE="7000 7001/udp"
WORKDIR /code
COPY --link app .
EXPOSE 8000 53/udp 80/TCP 5000-5002
EXPOSE $PORT $MORE
`,
    args: { PORT: '9999' },
  },
  'health check': {
    dockerfile: `FROM BASE
WORKDIR /code
COPY --link app .
HEALTHCHECK --interval=1m30s --timeout=2.5s --start-period=500ms --start-interval=1h --retries=4 CMD curl -f "http://localhost/$X" || exit 1
`,
  },
  'health check in exec form and none': {
    dockerfile: `FROM BASE AS one
HEALTHCHECK --interval=5s CMD ["python", "-c", "1"]
WORKDIR /code
FROM one
COPY --link app .
FROM one AS left-out
HEALTHCHECK NONE
`,
    target: 'one',
  },
  'no health check': {
    dockerfile: `FROM BASE
WORKDIR /code
COPY app .
HEALTHCHECK none
`,
  },
  'user, volumes, stop signal and shell': {
    dockerfile: `FROM BASE
ARG UID=1000
WORKDIR /app
COPY --chown=0:0 app /app/
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
VOLUME /data "/with-quotes" $NONE/logs
VOLUME ["/json one", "/data"]
STOPSIGNAL SIG\${SIGNAL:-INT}
USER $UID:$UID
CMD run this
`,
    args: { UID: '1234' },
  },
  'arguments in values': {
    dockerfile: `ARG GLOBAL=global
ARG DIR=app
FROM BASE
ARG GLOBAL UNSET
ARG DIR=\${GLOBAL}/\${DIR:-x} VERSION=1.0 GIVEN=default
ENV V=env
ARG V=arg
ENV W=$V VERSION=\${VERSION}-\${GIVEN}
LABEL version=$VERSION global=$GLOBAL dir=$DIR arch=$TARGETARCH
WORKDIR /$DIR
COPY app .
`,
    args: { GIVEN: 'given', NOT_DECLARED: 'x' },
  },
  'stages that stand on each other': {
    dockerfile: `FROM BASE AS base
ENV A=1
WORKDIR /app
COPY app/conf conf/
CMD ["below"]
EXPOSE 1
FROM base AS middle
LABEL middle=1
WORKDIR src
COPY app/main.py ./
FROM middle
ENV B=$A
ENTRYPOINT ["/entry"]
COPY ["app/main.py", "again.py"]
WORKDIR ../data
WORKDIR /
COPY app/main.py srv/x/
`,
  },
  'files that stand in the Dockerfile': {
    dockerfile: `FROM scratch AS files
COPY app/main.py /names/
FROM BASE
COPY --link app /opt/app/
WORKDIR /opt/app
COPY <<one.txt <<"two.txt" ./
1 $A
one.txt
2 $A
two.txt
COPY --link --chown=5:5 --from=0 /names ./names/
CMD ["x"]
`,
  },
}

describe('the configuration that we compute', () => {
  let folder: string
  let services: ServiceSet
  let images: BaseImages
  const registry = new HttpRegistry()

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stage-config-'))
    services = await startServices({ stateDir: join(folder, 'state') })
    images = await baseImages(services.registry)
    await mkdir(join(folder, 'context/app/conf'), { recursive: true })
    for (const file of ['app/main.py', 'app/conf/a.ini', 'requirements.txt']) {
      await writeFile(join(folder, 'context', file), `${file}\n`)
    }
  }, 15 * minutes)

  afterAll(async () => {
    await services.stop()
    await rm(folder, { recursive: true, force: true })
  }, minutes)

  test.each(Object.entries(shapes))(
    'is what BuildKit computes: %s',
    async (name, shape) => {
      const repository = `config-${Object.keys(shapes).indexOf(name)}`
      await compareBuilds(shape, repository, services)
    },
    2 * minutes,
  )

  test(
    'is taken by an older builder as well, and by one that loads the image',
    async () => {
      const older = await startServices({ stateDir: services.stateDir, buildkit: 'v0.27.1' satisfies BuildkitVersion })
      await compareBuilds(shapes['a service'] ?? { dockerfile: '' }, 'config-older', older)
      const rendered = await lift({ dockerfile: 'FROM BASE\nWORKDIR /app\nCOPY app .\n' })
      const output = withImageConfig(`type=docker,dest=${join(folder, 'image.tar')}`, rendered.config)
      await build(rendered.text, [`--output=${output}`], services)
      await runProgram('tar', ['-xf', join(folder, 'image.tar'), '-C', folder, 'manifest.json', 'blobs'])
      const [, path = ''] = /"Config":"([^"]+)"/.exec(await readFile(join(folder, 'manifest.json'), 'utf8')) ?? []
      expect(JSON.parse(await readFile(join(folder, path), 'utf8'))).toMatchObject({ config: { WorkingDir: '/app' } })
    },
    5 * minutes,
  )

  test(
    'comes with provenance, and folders of root’s alone in their layer',
    async () => {
      const tag = `${services.registry}/config-provenance:1`
      const rendered = await lift({ dockerfile: 'FROM BASE\nWORKDIR /app/src\nCOPY app .\nWORKDIR /srv/data\n' })
      await build(rendered.text, [
        `--output=${pushOutput('gzip', rendered.config)}`,
        `--tag=${tag}`,
        '--provenance=mode=max',
      ])
      const index = await registry.manifest(at(tag))
      expect(new TextDecoder().decode(index?.bytes)).toContain('attestation-manifest')
      const { config, layers } = await pushed(tag)
      expect(config.workingDir).toBe('/srv/data')
      const [, dirs] = layers
      const blob = dirs === undefined ? undefined : await registry.blob(at(tag), dirs.digest)
      await writeFile(join(folder, 'dirs.tgz'), blob ?? '')
      const list = await runProgram('tar', ['-tvzf', join(folder, 'dirs.tgz'), '--numeric-owner'])
      const entries = list
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +0 .*:\d\d /, ' '))
      expect(entries).toEqual([
        'drwxr-xr-x 0/0 app/',
        'drwxr-xr-x 0/0 app/src/',
        'drwxr-xr-x 0/0 srv/',
        'drwxr-xr-x 0/0 srv/data/',
      ])
    },
    2 * minutes,
  )

  test(
    'lets a patched base cost no byte on an emptied builder, and the same image needs it where WORKDIR stays',
    async () => {
      const proxy = await countingProxy(services.registry)
      const cache = `type=registry,ref=${proxy.registry}/config-patch:cache`
      const once = async (base: string, tag: string, lifted: boolean): Promise<number> => {
        const from = base.replace(services.registry, proxy.registry)
        const dockerfile = `FROM ${from}\nWORKDIR /app\nCOPY --link app ./app/\nCMD ["x"]\n`
        const rendered = lifted ? await lift({ dockerfile }, base) : { text: dockerfile, config: undefined }
        const output = pushOutput('zstd', rendered.config).replace('push=true', 'push=true,registry.insecure=true')
        const cacheTo = `${cache}-${lifted},mode=min,compression=zstd,registry.insecure=true`
        const cacheFrom = `${cache}-${lifted},registry.insecure=true`
        await services.emptyBuilder()
        proxy.reset()
        await build(rendered.text, [
          ...[`--output=${output}`, `--tag=${proxy.registry}/config-patch:${tag}`],
          ...[`--cache-from=${cacheFrom}`, `--cache-to=${cacheTo}`],
        ])
        const { byBlob } = proxy.snapshot()
        const layers = (await pushed(base)).layers.map(({ digest }) => byBlob[digest]?.pulledBytes ?? 0)
        return layers.reduce((bytes, pulled) => bytes + pulled, 0)
      }
      try {
        await once(await patchBase(services.registry, 21), 'first', true)
        expect(await once(await patchBase(services.registry, 22), 'patched', true)).toBe(0)
        expect(await pushed(`${services.registry}/config-patch:patched`)).toMatchObject({
          config: { workingDir: '/app' },
        })
        // The measurement itself can fail: a WORKDIR on top of the base pulls it.
        await once(await patchBase(services.registry, 23), 'plain', false)
        expect(await once(await patchBase(services.registry, 24), 'plain-patched', false)).toBeGreaterThan(1_000_000)
        // What nobody pulled is a whole image all the same.
        const command = 'ls -ld /app /app/app/main.py && pwd && python --version'
        const printed = await printedInside(`${services.registry}/config-patch:patched`, command, run(services))
        expect(printed).toMatch(/^drwxr-xr-x \d+ root root .* \/app$/m)
        expect(printed).toMatch(/^\/app\nPython /m)
      } finally {
        await proxy.stop()
      }
    },
    5 * minutes,
  )

  async function compareBuilds(shape: Shape, repository: string, set: ServiceSet): Promise<void> {
    const dockerfile = shape.dockerfile.replaceAll('BASE', images.python)
    const flags = [
      ...Object.entries(shape.args ?? {}).map(([name, value]) => `--build-arg=${name}=${value}`),
      ...Object.entries(shape.labels ?? {}).map(([name, value]) => `--label=${name}=${value}`),
      ...(shape.target === undefined ? [] : [`--target=${shape.target}`]),
    ]
    const [plain, own] = [`${services.registry}/${repository}:plain`, `${services.registry}/${repository}:lifted`]
    await build(dockerfile, [...flags, `--output=${pushOutput('zstd')}`, `--tag=${plain}`], set)
    const rendered = await lift({ ...shape, dockerfile })
    expect({ config: typeof rendered.config, links: rendered.links.filter(({ linked }) => !linked) }).toEqual({
      config: 'string',
      links: [],
    })
    const output = pushOutput('zstd', rendered.config)
    await build(rendered.text, [...flags, `--output=${output}`, `--tag=${own}`], set)

    const [expected, made] = [await pushed(plain), await pushed(own)]
    expect(timeless(made.configJson)).toEqual(timeless(expected.configJson))
    const steps = historyOf(made.configJson)
    expect(steps.filter(({ isEmpty }) => !isEmpty)).toHaveLength(made.layers.length)
    expect(made.config.diffIds).toHaveLength(made.layers.length)
    expect(asDocumented(steps)).toEqual(asDocumented(historyOf(expected.configJson)))
    const files = await filesOf(plain, set)
    expect(files.length).toBeGreaterThan(10)
    expect(await filesOf(own, set)).toEqual(files)
  }

  /** Paths with type, mode and owner, without the folders of the system. */
  async function filesOf(image: string, set: ServiceSet): Promise<readonly string[]> {
    const folders = ['proc', 'sys', 'dev', 'run', 'tmp', 'usr', 'etc', 'var']
    const pruned = folders.map((name) => `-path /${name} -prune`).join(' -o ')
    const script = `find / ${pruned} -o -printf '%p %y %m %U:%G\\n'; exit 0`
    return (await printedInside(image, script, run(set))).trim().split('\n').sort()
  }

  /** What the image check would know of the base, and the rewrite itself. */
  async function lift(shape: Shape, base: string = images.python): Promise<RenderedDockerfile> {
    const { config, configJson } = await pushed(base)
    const known: BaseImage = {
      env: Object.fromEntries(config.env.map((entry) => [entry.replace(/=.*/s, ''), entry.replace(/^[^=]*=/, '')])),
    }
    const view: BuildView = {
      target: shape.target,
      buildArgs: shape.args,
      platform: PLATFORM,
      baseImage: () => known,
      contextFiles: ['app/main.py', 'app/conf/a.ini', 'requirements.txt'],
    }
    const dockerfile = parseDockerfile(shape.dockerfile.replaceAll('BASE', base), 'Dockerfile')
    const labels = new Map(Object.entries(shape.labels ?? {}))
    return renderLinked(dockerfile, [], { ...view, lift: { baseConfig: configJson, labels } })
  }

  async function pushed(text: string): Promise<FoundImage> {
    const [os = '', architecture = ''] = PLATFORM.split('/')
    const found = await imageConfig(registry, at(text), { os, architecture })
    if (found.kind !== 'found') throw new Error(`${text} is ${found.kind}`)
    return found
  }

  async function build(dockerfile: string, args: readonly string[], set: ServiceSet = services): Promise<void> {
    const file = join(folder, `Dockerfile-${digestOf(dockerfile).slice(7, 19)}`)
    await writeFile(file, dockerfile)
    await run(set)(`--file=${file}`, ...args, join(folder, 'context'))
  }

  function run(set: ServiceSet): (...args: readonly string[]) => Promise<string> {
    const buildx = join(set.stateDir, 'bin', 'buildx')
    return (...args) => runProgram(buildx, ['build', `--builder=${set.builder}`, ...args], { env: set.env })
  }
})

function at(text: string) {
  const reference = parseReference(text)
  if (typeof reference === 'string') throw new Error(reference)
  return reference
}

interface Step {
  readonly text: string
  readonly isEmpty: boolean
}

/** A value of JSON without times, layers and history. */
function timeless(json: unknown): unknown {
  const { created, rootfs, history, ...rest } = Object(json)
  return rest
}

function historyOf(json: unknown): readonly Step[] {
  const { history } = Object(json)
  return Array.from<unknown, Step>(history, (entry) => {
    const { created_by: text, empty_layer: isEmpty = false } = Object(entry)
    return { text: String(text), isEmpty: isEmpty === true }
  })
}

/** The documented difference: the layer of a stage's folders counts once, at its first WORKDIR or above its first COPY. */
function asDocumented(steps: readonly Step[]): readonly string[] {
  return steps
    .filter(({ text }) => !text.endsWith('# image-cache: folders'))
    .map(({ text, isEmpty }) => (text.startsWith('WORKDIR /') ? text : `${text}${isEmpty ? ' (no layer)' : ''}`))
}
