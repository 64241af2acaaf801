/** An input as people see it: in action.yml, in the README's table and as an option of the CLI. */
export interface InputDescription {
  readonly name: string
  /** `list` takes several values, one a line (CLI: the option repeated). */
  readonly kind: 'text' | 'flag' | 'list'
  readonly fallback: string
  readonly description: string
}

/** The description of one input, whose name and kind are known as types. */
function input<Name extends string, Kind extends InputDescription['kind']>(
  name: Name,
  kind: Kind,
  fallback: string,
  description: string,
): InputDescription & { readonly name: Name; readonly kind: Kind } {
  return { name, kind, fallback, description }
}

const inputs = [
  input(
    'context',
    'text',
    '',
    "Folder with the files of the build, or a git repository (`https://….git#ref:folder`, `{{defaultContext}}`); `.` when empty, or this commit's repository where nothing is checked out",
  ),
  input('file', 'text', '', 'Path of the Dockerfile; `Dockerfile` in the context when empty'),
  input('tags', 'list', '', 'Names of the image with tags'),
  input('platforms', 'list', '', 'Platforms to build for, such as `linux/amd64`'),
  input('target', 'text', '', 'Stage to build'),
  input('build-args', 'list', '', 'Build arguments, `NAME=VALUE`'),
  input('build-contexts', 'list', '', 'Named contexts, `NAME=folder` or `NAME=docker-image://…`'),
  input('builder', 'text', '', 'Name of the buildx builder; the current one when empty'),
  input(
    'endpoints',
    'list',
    '',
    'Addresses of remote builders (`tcp://…`, `kube-pod://…`): each image goes to the same one as long as that answers',
  ),
  input(
    'driver',
    'text',
    '',
    'Driver of a builder made for this run, `docker-container` or `kubernetes`; when empty the current builder is taken, and `docker-container` where there is none',
  ),
  input(
    'driver-opts',
    'list',
    '',
    'Options of a builder that is made, as `docker buildx create --driver-opt` takes them',
  ),
  input('buildkit-image', 'text', 'moby/buildkit:v0.33.1', 'Image of BuildKit for a builder that is made'),
  input('buildx-version', 'text', 'v0.33.0', 'Version of buildx that is installed where there is none'),
  input('push', 'flag', 'false', 'Push the image to its registries; `by-digest` without tags, for `/merge`'),
  input('load', 'flag', 'false', 'Load the image into Docker'),
  input('outputs', 'list', '', 'Other outputs, as `buildx build --output` takes them'),
  input('cache-from', 'list', '', 'Caches to read; a registry cache beside the image when empty, `off` for none'),
  input('cache-to', 'list', '', 'Caches to write; a registry cache beside the image when empty, `off` for none'),
  input(
    'cache-write',
    'text',
    'auto',
    'Which cache beside the image is written: `auto` (that of the branch or pull request), `shared` (always that of the default branch) or `off`',
  ),
  input('cache-timeout', 'text', '10m', 'How long a cache export may go on once the image is pushed (`90s`, `10m`)'),
  input(
    'publish',
    'text',
    'auto',
    'How push and cache export stand in time: `auto`, `parallel`, `two-clients`, `image-first`, `post` or `sequential`',
  ),
  input('labels', 'list', '', 'Labels of the image, `NAME=VALUE`'),
  input('annotations', 'list', '', 'Annotations of the image, `[level:]NAME=VALUE` as buildx takes them'),
  input('secrets', 'list', '', 'Secrets of the build, `ID=VALUE`'),
  input('secret-files', 'list', '', 'Secrets in files, `ID=path`'),
  input('secret-envs', 'list', '', 'Secrets in environment variables, `ID=VARIABLE`'),
  input('provenance', 'text', '', 'Provenance attestation, as buildx takes it (`true`, `false`, `mode=max`)'),
  input('sbom', 'text', '', 'SBOM attestation, as buildx takes it'),
  input('no-cache', 'flag', 'false', 'Build every step anew'),
  input('pull', 'flag', 'false', 'Look for newer base images'),
  input('allow', 'list', '', 'Entitlements of the build, such as `network.host`'),
  input('add-hosts', 'list', '', 'Hosts that commands of the build know, `NAME:ADDRESS`'),
  input('attests', 'list', '', 'Attestations, `type=sbom,generator=…`; `provenance` and `sbom` win over theirs'),
  input('call', 'text', '', 'Ask the builder something instead of building: `check`, `outline`, `targets`'),
  input('cgroup-parent', 'text', '', 'Parent cgroup of the commands of the build'),
  input('network', 'text', '', 'Network of the commands of the build: `default`, `none`, `host`'),
  input('no-cache-filters', 'list', '', 'Stages to build anew; the Dockerfile is then built as it is written'),
  input('shm-size', 'text', '', 'Size of `/dev/shm` for commands of the build (`2g`)'),
  input('ssh', 'list', '', 'SSH agents or keys of the build, `default` or `ID=path`'),
  input('ulimit', 'list', '', 'Limits of the commands of the build, `nofile=1024:1024`'),
  input(
    'github-token',
    'text',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub fills it in.
    '${{ github.token }}',
    'Token for git contexts; the build gets it as the secret `GIT_AUTH_TOKEN`',
  ),
  input(
    'spec',
    'text',
    '',
    'What the image is made of, in place of a Dockerfile: YAML, or the path of a `.yml` file or of a pyproject.toml with `[tool.image-cache]`; see docs/spec.md',
  ),
  input('optimize-layers', 'flag', 'true', 'Install Python dependencies as independent layers'),
  input(
    'reorder',
    'text',
    'off',
    "`safe` builds steps that surely don't touch the packages before their layers, so that no change pulls layers for them; see docs/layers.md",
  ),
  input(
    'link-copies',
    'text',
    'auto',
    'Which COPY steps need nothing of what is below them any more, by `--link`: `auto` in images with layers of dependencies, `all` in every image, `off`; see docs/layers.md',
  ),
  input('verify', 'flag', 'false', 'Build the image as it is written, too, and fail when the two differ; needs `push`'),
  input(
    'assemble',
    'text',
    'auto',
    'How layers become the image: `auto`, `composed` (in the registry), `linked` (COPY --link) or `chain`',
  ),
  input(
    'layers-repository',
    'text',
    '',
    'Repository that keeps the layers of dependencies, shared by several images; the first one of `tags` when empty',
  ),
  input('compression', 'text', 'zstd', 'Compression of new layers: `zstd`, `gzip`, `estargz` or `uncompressed`'),
  input('compression-level', 'text', '', 'Level of the compression, 0 to 22; the builder chooses when empty'),
  input(
    'check',
    'text',
    'auto',
    'Where an existing image is looked for: `auto` (record, then registry), `registry`, `off`',
  ),
  input(
    'check-ttl',
    'text',
    '1d',
    'How long a record of an existing image is believed (`0`, `90s`, `15m`, `12h`, `1d`)',
  ),
  input(
    'check-negative-ttl',
    'text',
    '0',
    'How long a record of a missing image is believed, at most `1h`; `0` believes and writes none',
  ),
  input(
    'check-unknown',
    'text',
    'build',
    'What to do when nobody can tell whether the image exists: `build`, `fail` or `assume-exists`',
  ),
  input('check-local', 'flag', 'false', 'With `load`, look for the image in the local Docker, too'),
  input(
    'volatile-labels',
    'list',
    'org.opencontainers.image.revision,org.opencontainers.image.created',
    'Labels and annotations that say nothing of the content; `*` stands for any characters, `off` for none of them',
  ),
  input('retag-labels', 'flag', 'false', 'Give an image that is found the volatile labels and annotations of this run'),
  input('force', 'flag', 'false', 'Build although the image exists'),
  input('salt', 'text', '', 'Any text; another one makes every key new'),
  input('python-version', 'text', '', 'Python of the base image (`3.12`), checked against what the image says'),
  input(
    'installer-image',
    'text',
    'ghcr.io/astral-sh/uv:0.13.8-python{python}-trixie-slim',
    'Image with uv and Python that installs dependencies; `{python}` stands for the version',
  ),
  input('max-layers', 'text', '8', 'Most layers that dependencies are spread over, 1 to 32'),
  input('max-layer-size', 'text', '1GB', 'Compressed size that a layer of several packages may have (`500MB`, `2GiB`)'),
  input(
    'layers',
    'list',
    '',
    'Layers of your own making, one a line: names or patterns of packages (`torch nvidia-*`), counted in `max-layers`',
  ),
  input('heavy-packages', 'list', '', 'Packages to take as heavy where no size is known'),
  input('relock', 'flag', 'false', 'Ask the package index for versions although they are remembered'),
  input(
    'tasks',
    'text',
    '',
    'Tasks that make files of the build context: a path of a file of tasks, or the tasks as YAML',
  ),
  input('serialize', 'flag', 'false', 'Wait while another job builds the same content, then put the tags on its image'),
  input('wait-limit', 'text', '1h', 'How long to wait for another job with `serialize`, then build'),
  input(
    'fail-on-pull-over',
    'text',
    '',
    'Fail when the builder downloaded more than this of images and caches (`500MB`); the image is pushed all the same',
  ),
  input('summary', 'flag', 'true', "Write a report into the job's summary"),
  input('build-record', 'flag', 'false', "Write BuildKit's record of the build to a file, for Docker Desktop"),
  input(
    'store',
    'text',
    'auto',
    "Where records are kept: `auto`, `actions` (GitHub's cache), `local` (a folder) or `off`",
  ),
]

/** An input of the build action, by the types of its name and kind. */
export type BuildInput = (typeof inputs)[number]

/** Inputs that docker/build-push-action has, too, with the same meaning; then our own. */
export const BUILD_INPUTS: readonly InputDescription[] = inputs

/** Outputs of the build action. */
export const BUILD_OUTPUTS: readonly (readonly [name: string, description: string])[] = [
  ['digest', 'Digest of the image'],
  ['imageid', "Digest of the image's configuration, or of the image where it is an index"],
  ['metadata', "buildx's metadata of the build, JSON"],
  ['content-key', 'Key of all that the image is made of'],
  ['image', 'The image with its digest: `repository@sha256:…`'],
  ['cache-hit', '`true` when an image of this content was found'],
  ['skipped', '`true` when nothing was built'],
  ['plan', 'Layers of dependencies, JSON'],
  ['dockerfile', 'Path of the Dockerfile that was built'],
  ['build-record', 'Path of the record of the build (`.dockerbuild`), when asked for'],
]
