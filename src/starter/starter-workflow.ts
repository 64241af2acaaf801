import { stringify } from 'yaml'

/** An image that the project makes. */
export interface StarterImage {
  /** Folder of the context, relative to the project; `.` for its top. */
  readonly context: string
  /** Path of the Dockerfile, when it is not `Dockerfile` in the context. */
  readonly file: string | undefined
  /** Repository: `ghcr.io/org/app`, `org/app`. */
  readonly image: string
  /** The registry that it is in. */
  readonly registry: string
  /** What tells it from the project's other images; empty when it is the only one. */
  readonly label: string
}

export interface StarterProject {
  /** In the order of their folders. */
  readonly images: readonly StarterImage[]
  readonly branch: string
  readonly platforms: readonly string[]
  /** What `uses:` begins with: `org/image-cache-action`, and the version. */
  readonly action: { readonly repository: string; readonly version: string }
}

/**
 * A workflow that builds and pushes every image of a project. One platform takes a job of steps; several take the
 * reusable workflow, which has a job for each.
 */
export function starterWorkflow(project: StarterProject): string {
  const jobs = project.images.map((image) => [jobName(image), jobOf(image, project)])
  const workflow = {
    name: 'image',
    on: { push: { branches: [project.branch] }, pull_request: {} },
    permissions: { contents: 'read', packages: 'write' },
    jobs: Object.fromEntries(jobs),
  }
  // An event without settings is written as its name alone.
  return stringify(workflow, { lineWidth: 0 }).replace('pull_request: {}', 'pull_request:')
}

function jobOf(image: StarterImage, project: StarterProject): unknown {
  return project.platforms.length > 1 ? calledJob(image, project) : stepsJob(image, project)
}

function calledJob({ image, context, file }: StarterImage, { platforms, action, branch }: StarterProject): unknown {
  return {
    uses: `${action.repository}/.github/workflows/build.yml@${action.version}`,
    with: {
      image,
      tags: tagsOf(branch, ''),
      platforms: platforms.join(','),
      push: MAY_PUSH,
      ...(context === '.' ? {} : { context }),
      ...(file === undefined ? {} : { file }),
    },
  }
}

function stepsJob(
  { image, registry, context, file }: StarterImage,
  { platforms, action, branch }: StarterProject,
): unknown {
  const login =
    registry === 'ghcr.io'
      ? { registry, username: expression('github.actor'), password: expression('secrets.GITHUB_TOKEN') }
      : {
          ...(registry === 'docker.io' ? {} : { registry }),
          username: expression('secrets.REGISTRY_USERNAME'),
          password: expression('secrets.REGISTRY_PASSWORD'),
        }
  return {
    'runs-on': 'ubuntu-latest',
    steps: [
      { uses: 'actions/checkout@v7' },
      { uses: 'docker/setup-buildx-action@v4' },
      { uses: 'docker/login-action@v4', if: MAY_PUSH, with: login },
      {
        uses: `${action.repository}@${action.version}`,
        with: {
          context,
          ...(file === undefined ? {} : { file }),
          ...(platforms.length === 0 ? {} : { platforms: platforms.join(',') }),
          tags: tagsOf(branch, `${image}:`),
          push: MAY_PUSH,
        },
      },
    ],
  }
}

/** A pull request from a fork has no right to push. */
const MAY_PUSH = expression(
  "github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository",
)

function tagsOf(branch: string, before: string): string {
  const moving = expression(`github.ref_name == '${branch}' && 'latest' || 'pull-request'`)
  return `${before}${expression('github.sha')}\n${before}${moving}\n`
}

function expression(text: string): string {
  return `\${{ ${text} }}`
}

/** A job's name has letters, digits, `-` and `_`, and begins with a letter or `_`. */
function jobName({ label }: StarterImage): string {
  if (label === '') return 'image'
  return label.replaceAll(/[^a-zA-Z0-9_-]/g, '-').replace(/^(?![a-zA-Z_])/, '_')
}
