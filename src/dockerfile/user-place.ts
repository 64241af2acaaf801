import { posix } from 'node:path'
import { PLAIN_ROOTS, pathsDownTo, SHARED_ROOTS } from './base-places.ts'
import { isWithin, readCopyStep } from './copy-step.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import type { CommandObstacle } from './install-command.ts'
import { fillObstacle, makesOnly } from './landing-place.ts'
import { isRoot } from './root-user.ts'
import { runText } from './run-text.ts'
import { allCommands, joinPieces } from './shell-chain.ts'
import { readShellCommand } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, type StageState, type StageStep } from './stage-steps.ts'
import type { StepPlace } from './step-place.ts'
import type { StepUser } from './step-user.ts'
import { userAccounts } from './user-accounts.ts'
import { madeEnvironment } from './virtual-environment.ts'

/** They make folders and say whom these belong to, and put no packages there. */
const OF_FOLDERS = /^(?:\S*\/)?(?:chown|chgrp|mkdir|useradd|groupadd|adduser|addgroup|usermod)\s/
/** A mode that new files below don't take over: no setgid. */
const PLAIN_CHMOD = /^chmod\s+(?:-[Rvfc]+\s+)*(?:[0-7]{3}|0[0-7]{3}|[ugoa]*[-+=][rwxX]+(?:,[ugoa]*[-+=][rwxX]+)*)\s/

/**
 * Why packages that another user than root installs can't be copied into a folder in the user's name. A plain COPY keeps
 * the folders above as they are, so it is of no consequence whose they are; but the folder must be the user's to write to,
 * or the install would fail, and hold no packages that only the image tells of.
 * @param folder absolute; packages go there.
 * @param state `made`: an environment that a step above has made lies there; `new`: nothing may lie there.
 */
export function userPlaceObstacle(
  folder: string,
  place: StepPlace,
  user: StepUser,
  state: 'made' | 'new',
): CommandObstacle | undefined {
  const { index, walk, graph, view, replaced } = place
  const above = walk.steps.slice(0, index)
  if (!/^\/[\w.@+/-]*\w$/.test(folder)) return { code: 'not-root', sentence: `${folder} is written in an unusual way` }
  const home = userAccounts(above, graph).find((account) => isWithin(folder, account.home))
  const [, top = ''] = folder.split('/')
  const own = walk.root?.workingDir ? posix.resolve('/', walk.root.workingDir) : '/'
  if (home === undefined && SHARED_ROOTS.has(top))
    return {
      code: 'not-root',
      sentence:
        top === 'home'
          ? 'no step surely makes the user in whose home the packages go'
          : `${folder} lies among folders that the base image brings along`,
    }
  if (home === undefined && own !== '/' && (isWithin(folder, own) || isWithin(own, folder)))
    return { code: 'not-root', sentence: `the base image has a folder ${own} of its own` }
  if (!mayWrite(folder, place, user))
    return { code: 'not-root', sentence: `no step says that ${user.owner} may write to ${folder}` }
  for (const step of above) {
    const { instruction } = step
    const line = instruction.lines.first
    const filled = fillObstacle(step, folder, graph, view)
    if (filled !== undefined) return filled
    if (instruction.keyword !== 'RUN' || replaced.has(line)) continue
    if (!leavesPackagesAlone(step, folder, state))
      return { code: 'environment', sentence: `line ${line} may change what lies where the packages go` }
  }
  return undefined
}

function leavesPackagesAlone({ instruction, before }: StageStep, folder: string, state: 'made' | 'new'): boolean {
  const pieces = instruction.json === undefined ? allCommands(instruction) : undefined
  if (pieces === undefined) return leavesFolderAlone(instruction, folder, before.workingDir)
  const others = pieces.map(({ joint, text }) => {
    const command = { ...instruction, rest: text, heredocs: [] }
    const isMaking = state === 'made' && makesOnly(command, folder, before)
    return { joint, text: isMaking || OF_FOLDERS.test(text) || PLAIN_CHMOD.test(text) ? 'true' : text }
  })
  const run = { ...instruction, rest: joinPieces(others), heredocs: [] }
  return leavesFolderAlone(run, folder, before.workingDir)
}

/** Whether steps above have made the folder, or the lowest one above it that is known, for the user, or given it away. */
function mayWrite(folder: string, { index, walk, graph }: StepPlace, user: StepUser): boolean {
  const above = walk.steps.slice(0, index)
  const [id = ''] = user.owner.split(':')
  const account = userAccounts(above, graph).findLast(({ name, uid }) => name === id || uid === id)
  const isUser = (owner: string): boolean => [id, account?.name, account?.uid].includes(owner.split(':')[0])
  const own = new Set(account?.hasHome === true ? [account.home] : [])
  const others = new Set([...PLAIN_ROOTS, ...[...SHARED_ROOTS].map((name) => `/${name}`)])
  for (const step of above) {
    const { made, given } = touchedFolders(step, graph)
    const target = isUser(made.owner) ? own : others
    // What is there already stays whose it is.
    const added = made.folders.flatMap(pathsDownTo).filter((path) => !own.has(path) && !others.has(path))
    for (const path of added) target.add(path)
    for (const change of given) {
      if (isUser(change.owner)) own.add(change.folder)
      else own.delete(change.folder)
    }
  }
  const nearest = pathsDownTo(folder).findLast((path) => own.has(path) || others.has(path))
  return nearest !== undefined && own.has(nearest)
}

interface TouchedFolders {
  readonly made: { readonly owner: string; readonly folders: readonly string[] }
  readonly given: readonly { readonly owner: string; readonly folder: string }[]
}

/** Folders that a step makes unless they are there, and those that it gives to somebody. */
function touchedFolders(step: StageStep, graph: StageGraph): TouchedFolders {
  const { instruction, before } = step
  const { workingDir, user, env } = before
  const copy = readCopyStep(step, graph)
  if (copy !== undefined) {
    const folders = copy.isFolder ? [copy.destination] : []
    return { made: { owner: copy.flags.get('chown') ?? '', folders }, given: [] }
  }
  const { keyword, rest } = instruction
  if (keyword === 'WORKDIR')
    return { made: { owner: user, folders: [posix.resolve(workingDir, expandIn(graph, step, rest))] }, given: [] }
  const folders: string[] = []
  const given: { owner: string; folder: string }[] = []
  for (const { text } of keyword === 'RUN' && instruction.json === undefined ? (allCommands(instruction) ?? []) : []) {
    const read = readShellCommand(text, (name) => env[name])
    if ('code' in read) continue
    const [program, ...words] = read.words
    const [first = '', ...more] = words.filter((word) => !word.startsWith('-'))
    const environment = madeEnvironment(read, workingDir, before.pythonVersion)
    if (environment !== undefined) folders.push(environment.folder)
    if (program === 'mkdir') folders.push(...[first, ...more].map((word) => posix.resolve(workingDir, word)))
    if (program === 'chown')
      given.push(...more.map((word) => ({ owner: first, folder: posix.resolve(workingDir, word) })))
  }
  return { made: { owner: user, folders }, given }
}

/**
 * Why pip may find that it can write to the system's packages: as another user than root it puts them into the user's
 * home only where it can't.
 */
export function systemObstacle({ index, walk }: StepPlace): CommandObstacle | undefined {
  const giving = walk.steps.slice(0, index).find(({ instruction, before }) => {
    if (instruction.keyword !== 'RUN' || !isRoot(before.user)) return false
    const pieces = instruction.json === undefined ? allCommands(instruction) : undefined
    if (pieces === undefined) return GIVERS.test(runText(instruction))
    return pieces.some(({ text }) => GIVERS.test(text) && mayOpen(text, '/usr/local/lib', before))
  })
  return (
    giving && {
      code: 'not-root',
      sentence: `line ${giving.instruction.lines.first} may have opened the system's packages to others, where pip would put these then`,
    }
  )
}

const GIVERS = /\b(?:chown|chgrp|chmod|setfacl)\b/

function mayOpen(text: string, folder: string, { env, workingDir }: StageState): boolean {
  const read = readShellCommand(text.replace(/[*?].*$/, ''), (name) => env[name])
  const [program = '', ...words] = 'code' in read ? [] : read.words
  if (!/^(?:chown|chgrp|chmod)$/.test(program) || words.some((word) => word.startsWith('--reference'))) return true
  const [, ...paths] = words.filter((word) => !word.startsWith('-')).map((word) => posix.resolve(workingDir, word))
  return paths.some((path) => isWithin(path, folder) || isWithin(folder, path))
}
