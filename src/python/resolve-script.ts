import { uvPlatform } from '../base/libc.ts'
import { shellWord } from '../base/shell-word.ts'
import { type LibcRange, SOME_LIBC } from './libc-range.ts'
import type { IndexSettings } from './resolution.ts'
import { SHARED_FILES } from './shared-files.ts'
import { machineOf } from './wheel-tags.ts'

/** What the installer is asked to resolve, as one resolution. */
export interface ResolveInputs {
  readonly pythonVersion: string
  readonly platform: string
  /** What is known of the image's C library; nothing when absent. */
  readonly libc?: LibcRange
  readonly settings: IndexSettings
  /** Whose rules for several indexes hold: pip takes the best version of all, uv the first index that has the package. */
  readonly installer: 'pip' | 'uv'
  /** Names or `:all:`: versions without a wheel don't count, where the user said so. */
  readonly onlyBinary: readonly string[]
  readonly hasConstraints: boolean
  /** The requirements are a whole lock: nothing is to be added to them. */
  readonly noDeps?: boolean | undefined
  /** Whether there are versions in `installed.toml` that are kept where they will do. */
  readonly hasInstalled?: boolean
}

export const LOCK_FILE = 'pylock.toml'
export const SIZES_FILE = 'wheel-sizes.txt'

/**
 * The shell script that resolves inside the builder image. It reads `requirements.in`, `constraints.in` and
 * `installed.toml` beside it (uv prefers the versions of a lock that is there already). Into `/out`, or `$OUT`, it writes
 * the lock, the wheels' sizes where the index doesn't tell them, and the files that two wheels share.
 *
 * Versions without wheels are not hidden from the resolver unless the user did so: that would quietly pick an older
 * version than the user's own command. A package without a wheel is refused afterwards instead.
 */
export function resolveScript(inputs: ResolveInputs): string {
  const compile = ['uv', 'pip', 'compile', '--quiet', ...resolveArgs(inputs).map(shellWord)].join(' ')
  return [
    // On a runner the caller names the folder.
    '[ -n "$OUT" ] || OUT=/out',
    'set -eu',
    'export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 NO_COLOR=1',
    'mkdir -p "$OUT"',
    ...(inputs.hasInstalled === true ? [`cp installed.toml "$OUT/${LOCK_FILE}"`] : []),
    `${compile} --format pylock.toml -o "$OUT/${LOCK_FILE}" requirements.in >/dev/null`,
    'python="$(command -v python3 || command -v python)"',
    // uv installs side by side: what remains of a file that two packages bring is chance there.
    ...(inputs.installer === 'pip'
      ? [`"$python" shared-files.py "$OUT/${LOCK_FILE}" "$OUT/${SHARED_FILES}" || true`]
      : []),
    `"$python" wheel-sizes.py "$OUT/${LOCK_FILE}" "$OUT/${SIZES_FILE}" || true`,
    '',
  ].join('\n')
}

function resolveArgs(inputs: ResolveInputs): readonly string[] {
  const { settings } = inputs
  const machine = machineOf(inputs.platform) ?? 'x86_64'
  return [
    '--python-version',
    inputs.pythonVersion,
    '--python-platform',
    // The newest, or uv would leave out of the lock what some image takes.
    uvPlatform(machine, (inputs.libc ?? SOME_LIBC).atMost),
    ...(inputs.noDeps === true ? ['--no-deps'] : []),
    ...(inputs.hasConstraints ? ['--constraints', 'constraints.in'] : []),
    ...(settings.indexUrl === undefined ? [] : ['--index-url', settings.indexUrl]),
    ...settings.extraIndexUrls.flatMap((url) => ['--extra-index-url', url]),
    ...settings.findLinks.flatMap((url) => ['--find-links', url]),
    ...(settings.preReleases ? ['--prerelease', 'allow'] : []),
    ...(inputs.installer === 'pip' ? ['--index-strategy', 'unsafe-best-match'] : []),
    ...inputs.onlyBinary.flatMap((name) => ['--only-binary', name]),
  ]
}

/**
 * Asks the servers of the wheels for sizes that the lock lacks: HEAD requests, many at a time, three seconds at most.
 * A size that can't be had in time is left out; it is an estimate's input and must not hold up a build. Names of
 * servers are looked up once, since a resolver that drops one of many questions would cost all of the time.
 */
export const WHEEL_SIZES_PY = `import concurrent.futures, functools, os, re, socket, ssl, sys, time, urllib.parse, urllib.request

deadline = time.monotonic() + 3
trust = ssl.create_default_context()
look_up = functools.lru_cache(maxsize=None)(socket.getaddrinfo)
socket.getaddrinfo = lambda host, port, *rest, **more: look_up(host, port, 0, socket.SOCK_STREAM)
urls = []
with open(sys.argv[1], encoding="utf-8") as lock:
    for url, rest in re.findall(r'\\{[^{}]*?url = "([^"]+)"((?:[^{}]|\\{[^{}]*\\})*)\\}', lock.read()):
        path = urllib.parse.urlsplit(url)
        if path.scheme in ("http", "https") and path.path.endswith(".whl") and not re.search(r"\\bsize = ", rest):
            urls.append(url)


def size(url):
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    request = urllib.request.Request(url, method="HEAD", headers={"Accept-Encoding": "identity"})
    with urllib.request.urlopen(request, timeout=left, context=trust) as answer:
        return int(answer.headers["Content-Length"])


pool = concurrent.futures.ThreadPoolExecutor(16)
# The first answer brings the servers' addresses for all others.
asked = {}
for url in urls:
    asked[pool.submit(size, url)] = url
    if len(asked) == 1:
        concurrent.futures.wait(asked, timeout=deadline - time.monotonic())
with open(sys.argv[2], "w", encoding="utf-8") as out:
    for future in concurrent.futures.wait(asked, timeout=max(0, deadline - time.monotonic())).done:
        if future.exception() is None and future.result():
            name = urllib.parse.unquote(urllib.parse.urlsplit(asked[future]).path.rsplit("/", 1)[-1])
            out.write(f"{future.result()} {name}\\n")
# Requests that hang must not hold the process.
os._exit(0)
`

/** Reads what the sizes script wrote: bytes by wheel file name. */
export function readWheelSizes(text: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, bytes, fileName] = /^(\d{1,15}) (\S.*)$/.exec(line) ?? []
    if (bytes !== undefined && fileName !== undefined) sizes.set(fileName, Number(bytes))
  }
  return sizes
}
