import type { BuildFacts } from '../assemble/provenance.ts'
import { type Digest, toDigest } from '../base/digest.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPlatform } from './choose-assembly.ts'
import type { ComposeOrder } from './compose-image.ts'

/**
 * What provenance and SBOM tell of a composed image.
 * @param startedAt milliseconds since 1970
 */
export function buildFacts(
  { platform, root, plan }: ComposedPlatform,
  { inputs, source, content, choice }: ComposeOrder,
  startedAt: number,
  { env, clock }: Deps,
): BuildFacts {
  const groups = plan.parts.filter((part) => part.kind === 'group')
  const installers = [...new Set(groups.map(({ layers }) => layers.installerImage))]
  const others = content.kind === 'known' ? content.images.filter(({ name }) => name !== root.name) : []
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: path, GITHUB_SHA: commit, GITHUB_RUN_ID: run } = env
  const repository = server && path ? `${server}/${path}` : undefined
  const job = repository && run ? `${repository}/actions/runs/${run}/attempts/${env.GITHUB_RUN_ATTEMPT ?? '1'}` : ''
  return {
    platform,
    images: [
      { name: root.name, digest: digestIn(root.pinned) },
      ...others.map(({ name, digest }) => ({ name, digest })),
      ...installers.map((name) => ({ name, digest: digestIn(name) })),
    ],
    wheels: groups.flatMap(({ group }) =>
      group.packages.map(({ name, version, wheel, hashes }) => ({ name, version, fileName: wheel.fileName, hashes })),
    ),
    dockerfile: { path: source.dockerfile.fileName, text: source.dockerfile.text },
    target: inputs.target,
    buildArgs: inputs.buildArgs,
    labels: inputs.labels,
    secretIds: inputs.secrets.map(({ id }) => id),
    context: source.files.digest,
    source: repository && commit ? { uri: repository, commit } : undefined,
    builderId: choice.attestations.builderId ?? job,
    startedOn: new Date(startedAt).toISOString(),
    finishedOn: new Date(clock.now()).toISOString(),
  }
}

function digestIn(reference: string): Digest {
  const [, digest = ''] = /@(sha256:[0-9a-f]{64})$/.exec(reference) ?? []
  return toDigest(digest)
}
