/** Requests and body bytes; pushed is towards the registry, pulled is from it. */
export interface Traffic {
  readonly requests: number
  readonly pushedBytes: number
  readonly pulledBytes: number
}

/** One request as it went through. */
export interface TrafficEntry {
  readonly method: string
  readonly path: string
  /** 0 while there is no answer yet. */
  readonly status: number
  readonly pushedBytes: number
  readonly pulledBytes: number
}

export interface TrafficSnapshot extends Traffic {
  readonly byMethod: Readonly<Record<string, Traffic>>
  readonly byRepository: Readonly<Record<string, Traffic>>
  /** By digest of the blob that was pulled or uploaded. */
  readonly byBlob: Readonly<Record<string, Traffic>>
  /** In the order in which they came. */
  readonly entries: readonly TrafficEntry[]
}

interface OpenEntry {
  readonly method: string
  readonly path: string
  status: number
  pushedBytes: number
  pulledBytes: number
}

/** What a request's bytes are added to. */
export interface CountedRequest {
  readonly status: (status: number) => void
  readonly pushed: (bytes: number) => void
  readonly pulled: (bytes: number) => void
}

const digestPattern = /(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})/

/** Counts a registry's traffic. */
export class TrafficCount {
  #entries: OpenEntry[] = []

  begin(method: string, path: string): CountedRequest {
    const entry: OpenEntry = { method, path, status: 0, pushedBytes: 0, pulledBytes: 0 }
    this.#entries.push(entry)
    return {
      status: (status) => {
        entry.status = status
      },
      pushed: (bytes) => {
        entry.pushedBytes += bytes
      },
      pulled: (bytes) => {
        entry.pulledBytes += bytes
      },
    }
  }

  reset(): void {
    this.#entries = []
  }

  snapshot(): TrafficSnapshot {
    const entries = this.#entries.map((entry) => ({ ...entry }))
    const uploads = uploadDigests(entries)
    return {
      ...total(entries),
      byMethod: groupTotals(entries, (entry) => entry.method),
      byRepository: groupTotals(entries, (entry) => repositoryOf(entry.path)),
      byBlob: groupTotals(entries, (entry) => blobOf(entry.path) ?? uploads.get(uploadOf(entry.path) ?? '')),
      entries,
    }
  }
}

function total(entries: readonly TrafficEntry[]): Traffic {
  return {
    requests: entries.length,
    pushedBytes: entries.reduce((sum, entry) => sum + entry.pushedBytes, 0),
    pulledBytes: entries.reduce((sum, entry) => sum + entry.pulledBytes, 0),
  }
}

function groupTotals(
  entries: readonly TrafficEntry[],
  keyOf: (entry: TrafficEntry) => string | undefined,
): Readonly<Record<string, Traffic>> {
  const groups = new Map<string, TrafficEntry[]>()
  for (const entry of entries) {
    const key = keyOf(entry)
    if (key === undefined) continue
    const group = groups.get(key) ?? []
    group.push(entry)
    groups.set(key, group)
  }
  return Object.fromEntries([...groups].map(([key, group]) => [key, total(group)]))
}

function repositoryOf(path: string): string | undefined {
  return /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(path)?.[1]
}

function blobOf(path: string): string | undefined {
  return path.includes('/blobs/') ? digestPattern.exec(decodeURIComponent(path))?.[1] : undefined
}

function uploadOf(path: string): string | undefined {
  return /\/blobs\/uploads\/([^/?]+)/.exec(path)?.[1]
}

/** An upload in parts tells its digest only in its last request; all of its parts belong to that digest. */
function uploadDigests(entries: readonly TrafficEntry[]): ReadonlyMap<string, string> {
  const digests = new Map<string, string>()
  for (const { path } of entries) {
    const upload = uploadOf(path)
    const digest = blobOf(path)
    if (upload !== undefined && digest !== undefined) digests.set(upload, digest)
  }
  return digests
}
