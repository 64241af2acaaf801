import { normalizeName } from './package-name.ts'

/** A file that two packages bring with other content: which of them remains is decided by the order of installs. */
export interface SharedFile {
  readonly packages: readonly [string, string]
  /** `lib/…` below site-packages, `scripts/…` in bin, `data/…` below the prefix */
  readonly path: string
}

export interface SharedFiles {
  /** One file for each two packages, the first by name. */
  readonly files: readonly SharedFile[]
  /** Whether the files of all wheels could be told. */
  readonly isComplete: boolean
}

export const SHARED_FILES = 'shared-files.txt'
/** The first line, where every wheel was read. */
const COMPLETE = 'complete'

/**
 * Looks for files that several wheels of a lock bring with other content. The list of a wheel's files stands at its end,
 * with a checksum of each (PKWARE's zip specification, 4.3.12), so a few kB of each are fetched; names of console scripts
 * come from entry_points.txt. Servers that give no part of a file, and what takes longer than six seconds, stay unknown.
 */
export const SHARED_FILES_PY = `import concurrent.futures, configparser, functools, os, re, socket, ssl, struct, sys, time, urllib.parse, urllib.request, zlib

TAIL = 16384
deadline = time.monotonic() + 6
trust = ssl.create_default_context()
look_up = functools.lru_cache(maxsize=None)(socket.getaddrinfo)
socket.getaddrinfo = lambda host, port, *rest, **more: look_up(host, port, 0, socket.SOCK_STREAM)


def part(url, span):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity", "Range": "bytes=" + span})
    left = deadline - time.monotonic()
    with urllib.request.urlopen(request, timeout=max(0.1, left), context=trust) as answer:
        first, total = re.match(r"bytes (\\d+)-\\d+/(\\d+)", answer.headers["Content-Range"]).groups()
        return int(first), answer.read()


class Wheel:
    def __init__(self, url):
        self.url = url
        self.start, self.bytes = part(url, "-%d" % TAIL)

    def at(self, offset, length):
        if offset < self.start:
            _, piece = part(self.url, "%d-%d" % (offset, offset + length - 1))
            return piece
        return self.bytes[offset - self.start : offset - self.start + length]

    def entries(self):
        end = self.bytes.rindex(b"PK\\5\\6")
        size, offset = struct.unpack("<II", self.bytes[end + 12 : end + 20])
        listing, at = self.at(offset, size), 0
        while listing[at : at + 4] == b"PK\\1\\2":
            method, crc, packed, length = struct.unpack("<H4xIII", listing[at + 10 : at + 28])
            name, extra, comment = struct.unpack("<HHH", listing[at + 28 : at + 34])
            header = struct.unpack("<I", listing[at + 42 : at + 46])[0]
            yield listing[at + 46 : at + 46 + name].decode(), (crc, length), (method, header, packed)
            at += 46 + name + extra + comment

    def text(self, method, header, packed):
        head = self.at(header, 30 + 1024 + packed)
        name, extra = struct.unpack("<HH", head[26:30])
        data = head[30 + name + extra : 30 + name + extra + packed]
        return (zlib.decompress(data, -15) if method else data).decode()


def files(url):
    wheel = Wheel(url)
    found = {}
    for name, content, place in wheel.entries():
        top, _, rest = name.partition("/")
        if name.endswith("/"):
            continue
        if top.endswith(".data"):
            scheme, _, rest = rest.partition("/")
            found[("lib" if scheme in ("purelib", "platlib") else scheme) + "/" + rest] = content
        elif not top.endswith(".dist-info"):
            found["lib/" + name] = content
        elif rest == "entry_points.txt":
            parser = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
            parser.optionxform = str
            parser.read_string(wheel.text(*place))
            for section in ("console_scripts", "gui_scripts"):
                for script in parser[section] if section in parser else ():
                    found["scripts/" + script] = parser[section][script].replace(" ", "")
    return found


urls = []
with open(sys.argv[1], encoding="utf-8") as lock:
    for url in re.findall(r'\\burl = "([^"]+)"', lock.read()):
        path = urllib.parse.urlsplit(url)
        if path.scheme in ("http", "https") and path.path.endswith(".whl"):
            urls.append(url)
pool = concurrent.futures.ThreadPoolExecutor(24)
asked = {}
for url in urls:
    asked[pool.submit(files, url)] = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1]).split("-")[0]
    if len(asked) == 1:
        concurrent.futures.wait(asked, timeout=max(0, deadline - time.monotonic()))
bringers, read = {}, 0
for future in concurrent.futures.wait(asked, timeout=max(0, deadline - time.monotonic())).done:
    if future.exception() is None:
        read += 1
        for path, content in future.result().items():
            bringers.setdefault(path, {}).setdefault(asked[future], set()).add(content)
with open(sys.argv[2], "w", encoding="utf-8") as out:
    if read == len(asked):
        out.write("${COMPLETE}\\n")
    told = set()
    for path, by in sorted(bringers.items()):
        names = sorted(by)
        for index, name in enumerate(names):
            for other in names[index + 1 :]:
                if (name, other) not in told and len(by[name] | by[other]) > 1:
                    told.add((name, other))
                    out.write(f"{name} {other} {path}\\n")
# Requests that hang must not hold the process.
os._exit(0)
`

/** Reads what the script wrote; nothing is known where it wrote nothing. */
export function readSharedFiles(text: string): SharedFiles {
  const [first, ...more] = text.split('\n')
  const isComplete = first === COMPLETE
  const lines = isComplete ? more : [first ?? '', ...more]
  const files = lines.flatMap((line): readonly SharedFile[] => {
    const [, one, other, path] = /^([\w.-]+) ([\w.-]+) (\S.*)$/.exec(line) ?? []
    if (one === undefined || other === undefined || path === undefined) return []
    return [{ packages: [normalizeName(one), normalizeName(other)], path }]
  })
  return { files, isComplete }
}
