import { type Clock, systemClock } from '../base/clock.ts'
import { shellWord } from '../base/shell-word.ts'
import type { Store } from '../stores/store.ts'
import { storeKey } from '../stores/store-key.ts'
import type { LibcRange } from './libc-range.ts'
import { RESOLUTION_FORMAT } from './remembered-resolution.ts'
import { askForLock, type LockAnswer, type RunInstaller } from './resolve.ts'
import { LOCK_FILE, SIZES_FILE, WHEEL_SIZES_PY } from './resolve-script.ts'

/** A project with a lock of uv, and which of its packages are wanted. */
export interface ExportRequest {
  /** Installer image with Python and uv, by digest. */
  readonly image: string
  readonly pythonVersion: string
  readonly platform: string
  /** What is known of the image's C library. */
  readonly libc: LibcRange
  /** Texts of uv.lock, pyproject.toml, and those of workspace members, by their path below the project. */
  readonly files: Readonly<Record<string, string>>
  /** Arguments of `uv export`: `--no-dev`, `--extra gpu`. */
  readonly selection: readonly string[]
  /** `frozen`: the lock counts as it is; `checked`: one that no longer fits the project is a failure, as `uv sync` would change it. */
  readonly lock: 'frozen' | 'checked'
  readonly salt: string
  readonly relock: boolean
}

/**
 * Reads a lock of uv by uv itself, which alone knows its groups, extras, workspaces and conflicts. Nothing is resolved
 * anew: a lock that fits the project needs no index.
 */
export function exportLock(
  project: ExportRequest,
  run: RunInstaller,
  store: Store,
  clock: Clock = systemClock,
): Promise<LockAnswer> {
  const { image, pythonVersion, platform, libc, relock } = project
  const script = exportScript(project)
  const files = Object.fromEntries(Object.entries(project.files).map(([path, text]) => [`project/${path}`, text]))
  const key = storeKey('resolution', project.salt, {
    format: RESOLUTION_FORMAT,
    image,
    platform,
    libc: [libc.atLeast, libc.atMost],
    pythonVersion,
    script,
    files,
  })
  const withSizes = { ...files, 'wheel-sizes.py': WHEEL_SIZES_PY }
  return askForLock(
    { key, image, script, files: withSizes, relock, pythonVersion, platform, libc, pinned: new Map() },
    run,
    store,
    clock,
  )
}

function exportScript({ selection, lock }: ExportRequest): string {
  const flags = [lock === 'frozen' ? '--frozen' : '--locked', ...selection].map(shellWord).join(' ')
  return [
    '[ -n "$OUT" ] || OUT=/out',
    'set -eu',
    'mkdir -p "$OUT"',
    'work=$PWD',
    'cd project',
    // The project's own settings count; those of the machine don't.
    'unset UV_NO_CONFIG',
    'export XDG_CONFIG_HOME="$work/none" UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 NO_COLOR=1',
    // To a file named by -o uv would write folders as they lie from there, not from the project.
    `uv export --quiet --format pylock.toml ${flags} >"$OUT/${LOCK_FILE}"`,
    `"$(command -v python3 || command -v python)" "$work/wheel-sizes.py" "$OUT/${LOCK_FILE}" "$OUT/${SIZES_FILE}" || true`,
    '',
  ].join('\n')
}
