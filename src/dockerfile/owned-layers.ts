import { shellWord } from '../base/shell-word.ts'
import { pathsDownTo } from './base-places.ts'
import type { StageLayers } from './dependency-stage.ts'

/** How layers come to belong to another user than root. */
export interface OwnedLayers {
  /** As `COPY --chown` names the user. */
  readonly owner: string
  /** The stage as it is before the packages: its list of users says which numbers stand for the user. */
  readonly before: string
}

/** Flags of the RUN and lines of its script that give a tree to the user. */
export interface OwnerScript {
  readonly flags: readonly string[]
  /** They set `$owner`: `1000:1000`. */
  readonly lines: readonly string[]
}

const BEFORE = '/image-cache-before'

/** `image-cache-folders-<stage>` */
export function foldersStageName(stage: number): string {
  return `image-cache-folders-${stage}`
}

/**
 * Finds the numbers of a user as `COPY --chown` does. Only the lists are mounted, so whatever else changes in the stage, the
 * layer stays the same.
 */
export function ownerScript({ owner, before }: OwnedLayers): OwnerScript {
  const [user = '', group] = owner.split(':')
  const isNumber = (text: string): boolean => /^\d+$/.test(text)
  const users = !isNumber(user)
  const groups = group !== undefined && !isNumber(group)
  const mount = (file: string): string =>
    `--mount=type=bind,from=${before},source=/etc/${file},target=${BEFORE}-${file}`
  const field = (list: string, name: string, at: number): string =>
    `"$(sed -n ${shellWord(`s/^${name.replaceAll('.', '\\.')}:[^:]*:${at === 4 ? '[0-9]*:' : ''}\\([0-9]*\\).*/\\1/p`)} ${BEFORE}-${list} | head -n 1)"`
  const lines = [
    `user=${users ? field('passwd', user, 3) : user}`,
    `group=${group === undefined ? field('passwd', user, 4) : groups ? field('group', group, 3) : group}`,
    `if [ -z "$user" ] || [ -z "$group" ]; then echo "the image has no user ${owner}" >&2; exit 1; fi`,
    'owner="$user:$group"',
  ]
  return {
    flags: [...(users || group === undefined ? [mount('passwd')] : []), ...(groups ? [mount('group')] : [])],
    lines,
  }
}

/**
 * The stage with the folders that the layers share with what is below them, as they are there: each linked layer makes
 * its folders anew, with the usual owner and mode. A layer of its own on top of the others puts that right. It has no file, and is
 * the same bytes as long as the folders are.
 */
export function foldersStage(layers: StageLayers, owned: OwnedLayers, time: number): string {
  const script = ownerScript(owned)
  const [, top = ''] = layers.prefix.split('/')
  const above = pathsDownTo(layers.prefix)
  const mount = `--mount=type=bind,from=${owned.before},source=/${top},target=${BEFORE}/${top}`
  return [
    `FROM --platform=$BUILDPLATFORM ${layers.installerImage} AS ${foldersStageName(layers.stage)}`,
    `RUN ${[mount, ...script.flags].join(' ')} <<'IMAGE_CACHE'`,
    '#!/bin/sh',
    'set -eu',
    'umask 022',
    ...script.lines,
    'like() {',
    `  if [ -L "${BEFORE}$1" ]; then echo "$1 is a link: write # image-cache: off above the install" >&2; exit 1; fi`,
    '  mkdir "/layer$1"',
    `  if [ ! -d "${BEFORE}$1" ]; then chown "$owner" "/layer$1"; return; fi`,
    '  lowest=$1',
    `  chown --reference="${BEFORE}$1" "/layer$1"`,
    `  chmod --reference="${BEFORE}$1" "/layer$1"`,
    '}',
    'mkdir /layer',
    "lowest=''",
    ...above.map((path) => `like ${shellWord(path)}`),
    // Whatever is new in such a folder takes over its group and the bit.
    `if [ -g "${BEFORE}$lowest" ]; then echo "$lowest hands down its group: write # image-cache: off above the install" >&2; exit 1; fi`,
    `cd ${BEFORE}`,
    `find ${shellWord(`.${layers.prefix}`)} -mindepth 1 -type d 2>/dev/null | sort | while read -r path; do like "\${path#.}"; done`,
    `find /layer -exec touch -h -d @${time} {} +`,
    'IMAGE_CACHE',
    '',
  ].join('\n')
}
