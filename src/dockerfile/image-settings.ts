import { isJsonRecord, type JsonRecord } from '../base/json-value.ts'
/** How to see whether a container is well, as the configuration holds it; absent fields are inherited defaults. */
export interface HealthCheck {
  /** `NONE`, or `CMD` or `CMD-SHELL` and what is run. */
  readonly test: readonly string[]
  /** Nanoseconds, as are the next three. */
  readonly interval: number
  readonly timeout: number
  readonly startPeriod: number
  readonly startInterval: number
  readonly retries: number
}

/** A step that made the image (OCI image-spec, config.md, "history"). */
export interface HistoryEntry {
  readonly created?: string | undefined
  readonly createdBy?: string | undefined
  readonly author?: string | undefined
  readonly comment?: string | undefined
  /** Whether it made no layer. */
  readonly emptyLayer: boolean
}

/** What an image's configuration says (OCI image-spec, config.md; docker-image-spec). */
export interface ImageSettings {
  readonly author: string
  readonly architecture: string
  readonly os: string
  readonly variant: string
  /** `NAME=value` */
  readonly env: readonly string[]
  readonly user: string
  /** As written: it may end in a slash. */
  readonly workingDir: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly shell: readonly string[]
  /** `8000/tcp` */
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly labels: ReadonlyMap<string, string>
  readonly stopSignal: string
  /** Docker's mark on every image with a CMD. */
  readonly argsEscaped: boolean
  readonly healthCheck: HealthCheck | undefined
  readonly onBuild: readonly string[]
  readonly history: readonly HistoryEntry[]
  /** How many layers the image has; not written by `formatSettings`. */
  readonly layers: number
}

/**
 * Reads an image's configuration as far as BuildKit takes it over to images built on top.
 * @param json the parsed JSON text.
 * @returns a sentence when something in it is not as the specification has it.
 */
export function readSettings(json: unknown): ImageSettings | string {
  const wrong: string[] = []
  const image = record(json, 'the configuration', wrong)
  const config = record(image.config ?? {}, 'config', wrong)
  for (const name of ['os.version', 'os.features']) if (isSet(image[name])) wrong.push(`${name} is not supported`)
  const settings: ImageSettings = {
    author: text(image, 'author', wrong),
    architecture: text(image, 'architecture', wrong),
    os: text(image, 'os', wrong),
    variant: text(image, 'variant', wrong),
    env: texts(config, 'Env', wrong),
    user: text(config, 'User', wrong),
    workingDir: text(config, 'WorkingDir', wrong),
    entrypoint: texts(config, 'Entrypoint', wrong),
    cmd: texts(config, 'Cmd', wrong),
    shell: texts(config, 'Shell', wrong),
    ports: Object.keys(record(config.ExposedPorts ?? {}, 'ExposedPorts', wrong)),
    volumes: Object.keys(record(config.Volumes ?? {}, 'Volumes', wrong)),
    labels: labelsOf(config, wrong),
    stopSignal: text(config, 'StopSignal', wrong),
    argsEscaped: flag(config, 'ArgsEscaped', wrong),
    healthCheck: isSet(config.Healthcheck) ? healthCheckOf(config.Healthcheck, wrong) : undefined,
    onBuild: texts(config, 'OnBuild', wrong),
    history: historyOf(image.history, wrong),
    layers: texts(record(image.rootfs ?? {}, 'rootfs', wrong), 'diff_ids', wrong).length,
  }
  return wrong[0] ?? settings
}

/** The configuration as JSON, without layers and creation time: the exporter fills them in. Empty fields are left out. */
export function formatSettings(settings: ImageSettings): string {
  const { healthCheck } = settings
  return JSON.stringify({
    author: settings.author || undefined,
    architecture: settings.architecture,
    os: settings.os,
    variant: settings.variant || undefined,
    config: {
      User: settings.user || undefined,
      ExposedPorts: keys(settings.ports),
      Env: filled(settings.env),
      Entrypoint: filled(settings.entrypoint),
      Cmd: filled(settings.cmd),
      Volumes: keys(settings.volumes),
      WorkingDir: settings.workingDir || undefined,
      Labels: settings.labels.size === 0 ? undefined : Object.fromEntries(settings.labels),
      StopSignal: settings.stopSignal || undefined,
      ArgsEscaped: settings.argsEscaped || undefined,
      Healthcheck: healthCheck && {
        Test: filled(healthCheck.test),
        Interval: healthCheck.interval || undefined,
        Timeout: healthCheck.timeout || undefined,
        StartPeriod: healthCheck.startPeriod || undefined,
        StartInterval: healthCheck.startInterval || undefined,
        Retries: healthCheck.retries || undefined,
      },
      OnBuild: filled(settings.onBuild),
      Shell: filled(settings.shell),
    },
    history: settings.history.map((entry) => ({
      created: entry.created,
      created_by: entry.createdBy,
      author: entry.author,
      comment: entry.comment,
      empty_layer: entry.emptyLayer || undefined,
    })),
  })
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function record(value: unknown, name: string, wrong: string[]): JsonRecord {
  if (isJsonRecord(value)) return value
  wrong.push(`${name} is not an object`)
  return {}
}

function text(from: JsonRecord, name: string, wrong: string[]): string {
  const value = from[name] ?? ''
  if (typeof value === 'string') return value
  wrong.push(`${name} is not a text`)
  return ''
}

function texts(from: JsonRecord, name: string, wrong: string[]): readonly string[] {
  const value = from[name] ?? []
  if (!Array.isArray(value)) {
    wrong.push(`${name} is not a list`)
    return []
  }
  return value.map((item: unknown) => {
    if (typeof item === 'string') return item
    wrong.push(`${name} holds something else than texts`)
    return ''
  })
}

function flag(from: JsonRecord, name: string, wrong: string[]): boolean {
  const value = from[name] ?? false
  if (typeof value === 'boolean') return value
  wrong.push(`${name} is neither true nor false`)
  return false
}

/** Beyond this a number of JavaScript is no longer the one that was written. */
function whole(from: JsonRecord, name: string, wrong: string[]): number {
  const value = from[name] ?? 0
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  wrong.push(`${name} is not a whole number`)
  return 0
}

function labelsOf(config: JsonRecord, wrong: string[]): ReadonlyMap<string, string> {
  const labels = record(config.Labels ?? {}, 'Labels', wrong)
  return new Map(Object.keys(labels).map((name) => [name, text(labels, name, wrong)]))
}

function healthCheckOf(value: unknown, wrong: string[]): HealthCheck {
  const check = record(value, 'Healthcheck', wrong)
  return {
    test: texts(check, 'Test', wrong),
    interval: whole(check, 'Interval', wrong),
    timeout: whole(check, 'Timeout', wrong),
    startPeriod: whole(check, 'StartPeriod', wrong),
    startInterval: whole(check, 'StartInterval', wrong),
    retries: whole(check, 'Retries', wrong),
  }
}

function historyOf(value: unknown, wrong: string[]): readonly HistoryEntry[] {
  if (!isSet(value)) return []
  if (!Array.isArray(value)) {
    wrong.push('history is not a list')
    return []
  }
  return value.map((item: unknown) => {
    const entry = record(item, 'an entry of history', wrong)
    return {
      created: text(entry, 'created', wrong) || undefined,
      createdBy: text(entry, 'created_by', wrong) || undefined,
      author: text(entry, 'author', wrong) || undefined,
      comment: text(entry, 'comment', wrong) || undefined,
      emptyLayer: flag(entry, 'empty_layer', wrong),
    }
  })
}

function filled(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list
}

function keys(list: readonly string[]): Readonly<Record<string, object>> | undefined {
  return list.length === 0 ? undefined : Object.fromEntries(list.map((name) => [name, {}]))
}
