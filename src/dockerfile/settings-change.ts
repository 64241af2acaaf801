import { posix } from 'node:path'
import { readPorts } from './exposed-ports.ts'
import { duration, plainList, quotedList } from './go-format.ts'
import { readHealthCheck } from './health-check.ts'
import type { HealthCheck, ImageSettings } from './image-settings.ts'
import { nameValues, plainWords } from './instruction-words.ts'
import type { StageGraph } from './stage-graph.ts'
import { argValues, expandIn, type StageStep } from './stage-steps.ts'
import { ExpansionError, expandWords } from './word-expansion.ts'

/** What an instruction does to the configuration of its stage. */
export interface SettingsChange {
  readonly settings: Partial<ImageSettings>
  /** Its entry in the history, as BuildKit writes it. */
  readonly text: string
  readonly layer: boolean
}

/** What stands in the configuration when the instruction's turn comes. */
export interface SettingsBefore {
  readonly settings: ImageSettings
  /** Whether the stage itself has had a CMD: then ENTRYPOINT leaves it alone. */
  readonly hasCmd: boolean
}

/**
 * What an instruction changes, by the rules of BuildKit's Dockerfile frontend (frontend/dockerfile/dockerfile2llb).
 * @returns a sentence when that is not known for sure.
 * @throws ImageCacheError E_DOCKERFILE where a variable can't be filled in.
 */
export function settingsChange(
  step: StageStep,
  { settings, hasCmd }: SettingsBefore,
  graph: StageGraph,
): SettingsChange | string {
  const { keyword, rest, json, flags, lines } = step.instruction
  const fill = (text: string): string => expandIn(graph, step, text)
  if (flags.length > 0 && keyword !== 'COPY' && keyword !== 'HEALTHCHECK') {
    return `${keyword} in line ${lines.first} has flags`
  }
  switch (keyword) {
    case 'ENV':
    case 'LABEL':
      return namedValues(step, settings, graph)
    case 'ARG':
      return argChange(step, graph)
    case 'WORKDIR': {
      const workingDir = nextWorkingDir(settings.workingDir, fill(rest))
      return changed({ workingDir }, `WORKDIR ${workingDir}`, workingDir !== '/')
    }
    case 'USER':
      return changed({ user: fill(rest) }, `USER ${fill(rest)}`)
    case 'CMD': {
      const cmd = json ?? inShell(settings, rest)
      return changed({ cmd, argsEscaped: true }, `CMD ${quotedList(cmd)}`)
    }
    case 'ENTRYPOINT': {
      const entrypoint = json ?? inShell(settings, rest)
      return changed({ entrypoint, ...(hasCmd ? {} : { cmd: [] }) }, `ENTRYPOINT ${quotedList(entrypoint)}`)
    }
    case 'SHELL':
      return changed({ shell: json ?? [] }, `SHELL ${plainList(json ?? [])}`)
    case 'EXPOSE':
      return exposeChange(step, settings, graph)
    case 'VOLUME': {
      const volumes = (json ?? plainWords(rest)).map((word) => fill(word.trim()))
      return changed({ volumes: withAll(settings.volumes, volumes) }, `VOLUME ${plainList(volumes)}`)
    }
    case 'STOPSIGNAL':
      return changed({ stopSignal: fill(rest) }, `STOPSIGNAL ${fill(rest)}`)
    case 'HEALTHCHECK': {
      const healthCheck = readHealthCheck(flags, rest)
      return typeof healthCheck === 'string' ? healthCheck : changed({ healthCheck }, healthText(healthCheck))
    }
    case 'COPY':
      return changed({}, copyText(step, graph), true)
    default:
      return `${keyword} in line ${lines.first} has not been looked into`
  }
}

function changed(settings: Partial<ImageSettings>, text: string, layer = false): SettingsChange {
  return { settings, text, layer }
}

function namedValues(step: StageStep, settings: ImageSettings, graph: StageGraph): SettingsChange | string {
  const { keyword, rest, lines } = step.instruction
  // LABEL and ENV are read alike.
  const pairs = nameValues('ENV', rest, graph.dockerfile.escapeChar)
  if (typeof pairs === 'string') return `${keyword} in line ${lines.first} is not understood`
  const filled = pairs.map(
    ({ name, value = '' }) => [expandIn(graph, step, name), expandIn(graph, step, value)] as const,
  )
  const text = `${keyword} ${filled.map(([name, value]) => `${name}=${value}`).join(' ')}`
  if (keyword === 'LABEL') return changed({ labels: new Map([...settings.labels, ...filled]) }, text)
  return changed({ env: filled.reduce(withVariable, settings.env) }, text)
}

/** A variable keeps its place in the list. */
function withVariable(env: readonly string[], [name, value]: readonly [string, string]): readonly string[] {
  const entry = `${name}=${value}`
  const at = env.findIndex((given) => given === name || given.startsWith(`${name}=`))
  return at < 0 ? [...env, entry] : env.with(at, entry)
}

/** Arguments whose values depend on the builder or on settings of the machine that buildx passes on. */
const OF_THE_BUILDER =
  /^(?:BUILDKIT_.*|SOURCE_DATE_EPOCH|BUILD(?:PLATFORM|OS|ARCH|VARIANT)|(?:BUILD|TARGET)OSVERSION|TARGETSTAGE)$/
const PROXY = /^(?:https?|ftp|no|all)_proxy$/i

function argChange(step: StageStep, graph: StageGraph): SettingsChange | string {
  const values = argValues(step, graph)
  const unsure = values.find(
    ({ name }) => OF_THE_BUILDER.test(name) || (PROXY.test(name) && !(name in graph.buildArgs)),
  )
  if (unsure !== undefined) return `the value of ${unsure.name} is the builder's affair`
  const texts = values.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
  return changed({}, `ARG ${texts.join(' ')}`)
}

/** Only relative paths are cleaned. */
function nextWorkingDir(current: string, path: string): string {
  if (path.startsWith('/')) return path
  return path === '' ? current || '/' : posix.resolve(current || '/', path)
}

function inShell({ shell }: ImageSettings, command: string): readonly string[] {
  return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), command]
}

function exposeChange(step: StageStep, settings: ImageSettings, graph: StageGraph): SettingsChange | string {
  const options = { escapeChar: graph.dockerfile.escapeChar, lookup: (name: string) => step.before.env[name] }
  try {
    const ports = readPorts([...plainWords(step.instruction.rest)].sort().flatMap((word) => expandWords(word, options)))
    if (typeof ports === 'string') return ports
    return changed({ ports: withAll(settings.ports, ports) }, `EXPOSE ${plainList(ports)}`)
  } catch (error) {
    if (error instanceof ExpansionError) return `EXPOSE in line ${step.instruction.lines.first}: ${error.message}`
    throw error
  }
}

function withAll(list: readonly string[], added: readonly string[]): readonly string[] {
  return [...new Set([...list, ...added])]
}

function healthText({ test, interval, timeout, startPeriod, startInterval, retries }: HealthCheck): string {
  const times = [
    `Interval:${duration(interval)} Timeout:${duration(timeout)}`,
    `StartPeriod:${duration(startPeriod)} StartInterval:${duration(startInterval)}`,
  ]
  return `HEALTHCHECK {Test:${plainList(test)} ${times.join(' ')} Retries:${retries}}`
}

/** Flags that don't change the files are not told, and files that stand in the Dockerfile come last. */
function copyText(step: StageStep, graph: StageGraph): string {
  const { rest, json, flags, heredocs } = step.instruction
  const words = json ?? plainWords(rest)
  const isInline = (word: string): boolean => heredocs.length > 0 && /^\d*<</.test(word)
  const fill = (text: string): string => expandIn(graph, step, text)
  const told = ['parents', 'chown', 'chmod'].flatMap((name) => {
    const flag = flags.find((given) => given.name === name)
    if (flag === undefined) return []
    return flag.value === undefined ? [`--${name}`] : [`--${name}=${fill(flag.value)}`]
  })
  const sources = words.slice(0, -1).filter((word) => !isInline(word))
  const inline = heredocs.map(({ name }) => `<<${name}`)
  return ['COPY', ...told, ...sources.map(fill), ...inline, fill(words.at(-1) ?? ''), '# buildkit'].join(' ')
}
