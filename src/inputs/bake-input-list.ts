import { BUILD_INPUTS, type InputDescription } from './input-list.ts'

function input(name: string, kind: InputDescription['kind'], fallback: string, description: string): InputDescription {
  return { name, kind, fallback, description }
}

/** Inputs of the build action that hold for every target; all others are the bake file's. */
const SHARED: ReadonlySet<string> = new Set([
  ...['builder', 'endpoints', 'driver', 'driver-opts', 'buildkit-image', 'buildx-version', 'allow', 'github-token'],
  ...[
    'optimize-layers',
    'reorder',
    'link-copies',
    'verify',
    'assemble',
    'layers-repository',
    'compression',
    'check',
    'check-ttl',
    'check-unknown',
  ],
  ...['volatile-labels', 'retag-labels', 'force', 'salt', 'python-version', 'installer-image', 'max-layers'],
  ...['max-layer-size', 'heavy-packages', 'relock', 'serialize', 'wait-limit', 'store'],
  ...['fail-on-pull-over', 'summary', 'build-record'],
])

export const SHARED_INPUTS: readonly InputDescription[] = BUILD_INPUTS.filter(({ name }) => SHARED.has(name))

/** Inputs of the bake action: what buildx is to make of the bake files, then what holds for every target. */
export const BAKE_INPUTS: readonly InputDescription[] = [
  input('files', 'list', '', 'Bake files; the default ones of the folder when empty'),
  input('targets', 'list', '', 'Targets and groups to build; `default` when empty'),
  input('set', 'list', '', 'Values of targets, `pattern.key=value` as `buildx bake --set` takes them'),
  input('vars', 'list', '', 'Variables of the bake files, `NAME=VALUE`'),
  input('source', 'text', '.', 'Folder that the bake files and their paths are seen from'),
  input('push', 'flag', 'false', 'Push the images that have tags and no other output'),
  input('load', 'flag', 'false', 'Load the images that have no other output into Docker'),
  input('no-cache', 'flag', 'false', 'Build every step of every target anew'),
  input('pull', 'flag', 'false', 'Look for newer base images'),
  input('provenance', 'text', '', 'Provenance attestation of all targets, as buildx takes it'),
  input('sbom', 'text', '', 'SBOM attestation of all targets, as buildx takes it'),
  ...SHARED_INPUTS,
]

/** Outputs of the bake action. */
export const BAKE_OUTPUTS: readonly (readonly [name: string, description: string])[] = [
  ['metadata', "buildx's metadata of each target, JSON by the target's name"],
  ['images', 'Images with their digests, JSON by the name of the target'],
  ['built', 'Targets that were built, as a JSON list'],
  ['skipped', '`true` when no target was built'],
]
