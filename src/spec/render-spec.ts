import { shellWord } from '../base/shell-word.ts'
import type { ImageSpec, SpecLayer, SpecSecret } from './image-spec.ts'

/** uv is put into the image where a project is installed by it. */
const UV_IMAGE = 'ghcr.io/astral-sh/uv:0.13.8'
const OFF = '# image-cache: off'

/** What the renderer can't read itself. */
export interface RenderSpecOptions {
  /** Packages that each script of the spec names, by the script's path. */
  readonly scripts?: ReadonlyMap<string, readonly string[]>
}

type Install = Extract<SpecLayer, { index?: string | undefined }>

/**
 * Writes the Dockerfile that a spec stands for: one step for each layer in the spec's order, as people would write it by
 * hand. What becomes of its installs is then the planner's affair, as with any Dockerfile.
 * @param spec as `image` or `parseSpec` make it
 * @param options packages of the scripts that the spec names; without them a script has none
 * @returns the whole file
 */
export function renderSpec(spec: ImageSpec, options: RenderSpecOptions = {}): string {
  const { scripts = new Map() } = options
  const workdir = spec.workdir ?? '/app'
  const needsUv = spec.layers.some((layer) => 'project' in layer)
  const lines = [
    `FROM ${spec.base ?? `python:${spec.python}-slim`}`,
    ...(spec.env === undefined ? [] : [environment(spec.env)]),
    `WORKDIR ${argument(workdir)}`,
    ...(needsUv ? [`COPY --from=${spec['uv-image'] ?? UV_IMAGE} /uv /usr/local/bin/uv`] : []),
    ...spec.layers.flatMap((layer) => {
      const rendered = renderLayer(layer, workdir, scripts)
      const stays = spec['optimize-layers'] === false || ('optimize' in layer && layer.optimize === false)
      return stays && rendered.some((line) => line.startsWith('RUN ')) ? [OFF, ...rendered] : rendered
    }),
    ...(spec.user === undefined ? [] : [`USER ${argument(spec.user)}`]),
    ...(spec.expose === undefined ? [] : [`EXPOSE ${spec.expose.join(' ')}`]),
    ...Object.entries(spec.labels ?? {}).map(([name, value]) => `LABEL ${quoted(name)}=${quoted(value)}`),
    ...(spec.entrypoint === undefined ? [] : [`ENTRYPOINT ${JSON.stringify(spec.entrypoint)}`]),
    ...(spec.command === undefined ? [] : [`CMD ${JSON.stringify(spec.command)}`]),
  ]
  return `${lines.join('\n')}\n`
}

function renderLayer(
  layer: SpecLayer,
  workdir: string,
  scripts: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  if ('env' in layer) return [environment(layer.env)]
  if ('copy' in layer) return [copy(layer.copy, layer.to, layer.chown)]
  if ('apt' in layer) {
    const names = layer.apt.map(shellWord).join(' ')
    const install = `apt-get install -y --no-install-recommends ${names}`
    return [`RUN ${mounts(layer.secrets)}apt-get update && ${install} && rm -rf /var/lib/apt/lists/*`]
  }
  if ('run' in layer) return run(layer.run, mounts(layer.secrets))
  if ('project' in layer) return [...project(layer, workdir)]
  if ('pip' in layer) return [pip(layer, layer.pip.map(shellWord))]
  if ('script' in layer) return [pip(layer, (scripts.get(layer.script) ?? []).map(shellWord))]
  if ('wheels' in layer)
    return [
      pip(
        layer,
        layer.wheels.map((path) => shellWord(`${CONTEXT}/${path}`)),
        BOUND,
      ),
    ]
  const files = list(layer.requirements)
  return [
    pip(
      layer,
      files.map((path) => `-r ${shellWord(`${CONTEXT}/${path}`)}`),
      BOUND,
    ),
  ]
}

/** The build context while a step runs: files that requirements name are found beside them, and none stays behind. */
const CONTEXT = '/tmp/context'
const BOUND = `--mount=type=bind,target=${CONTEXT} `

function pip(layer: Install, words: readonly string[], bound = ''): string {
  const options = [
    ...(layer.index === undefined ? [] : [`--index-url ${shellWord(layer.index)}`]),
    ...(layer['extra-indexes'] ?? []).map((url) => `--extra-index-url ${shellWord(url)}`),
    ...(layer['find-links'] ?? []).map((place) => `--find-links ${shellWord(place)}`),
    ...(layer.pre === true ? ['--pre'] : []),
  ]
  return `RUN ${bound}${mounts(layer.secrets)}${['pip install --no-cache-dir', ...options, ...words].join(' ')}`
}

function project(
  { project: folder, groups = [], extras = [], dev = false, secrets }: Extract<SpecLayer, { project: string }>,
  workdir: string,
): readonly string[] {
  const bind = (file: string): string => {
    const source = folder === '.' ? file : `${folder.replace(/\/$/, '')}/${file}`
    return `--mount=type=bind,source=${source},target=${file} `
  }
  const options = [
    ...(dev ? [] : ['--no-dev']),
    ...groups.map((group) => `--group ${shellWord(group)}`),
    ...extras.map((extra) => `--extra ${shellWord(extra)}`),
  ]
  const sync = ['uv sync --frozen --no-install-project --no-cache', ...options].join(' ')
  return [
    `RUN ${bind('uv.lock')}${bind('pyproject.toml')}${mounts(secrets)}${sync}`,
    `ENV PATH="${workdir.replace(/\/$/, '')}/.venv/bin:$PATH"`,
  ]
}

/** Several commands are one step that ends with the first that fails; several lines are a script that does. */
function run(commands: string | readonly string[], mount: string): readonly string[] {
  return [`RUN ${mount}${list(commands).join(' && ')}`]
}

function copy(sources: string | readonly string[], to: string, chown: string | undefined): string {
  const paths = [...list(sources), to]
  const owner = chown === undefined ? '' : `--chown=${chown} `
  const plain = paths.every((path) => /^[\w./*?@+-]+$/.test(path))
  return `COPY ${owner}${plain ? paths.join(' ') : JSON.stringify(paths)}`
}

function mounts(secrets: readonly SpecSecret[] = []): string {
  return secrets
    .map((secret) => (typeof secret === 'string' ? { id: secret } : secret))
    .map(({ id, ...place }) => {
      const env = 'env' in place && place.env !== undefined ? `,env=${place.env}` : ''
      const target = 'target' in place && place.target !== undefined ? `,target=${place.target}` : ''
      return `--mount=type=secret,id=${id}${env}${target} `
    })
    .join('')
}

function environment(values: Readonly<Record<string, string>>): string {
  return `ENV ${Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ')}`
}

/** For `ENV`, `LABEL`: `$NAME` is filled in by the builder, as in a Dockerfile. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** For instructions whose argument is the rest of the line. */
function argument(value: string): string {
  return value.replace(/\\/g, '\\\\')
}

function list(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
