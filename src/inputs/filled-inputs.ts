import type { ReadInput } from './input-reader.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Inputs as docker/build-push-action takes them: `{{defaultContext}}` stands for the run's own repository at its commit,
 * and a build argument without a value has that of the environment, or is left out.
 */
export function fillInputs(read: ReadInput, env: Environment): ReadInput {
  return (name) => {
    const text = read(name)
    if (name === 'context' || name === 'build-contexts') {
      return text.replaceAll(/\{\{\s*defaultContext\s*\}\}/g, () => defaultContext(env) ?? '.')
    }
    return name === 'build-args'
      ? text
          .split(/\r?\n/)
          .flatMap((line) => filledArg(line, env))
          .join('\n')
      : text
  }
}

/**
 * The repository of this run as a git context: at its commit, or for a pull request at the ref of its merge, or with
 * `DOCKER_DEFAULT_GIT_CONTEXT_PR_HEAD_REF` at its head. Undefined outside GitHub.
 */
export function defaultContext(env: Environment): string | undefined {
  const { GITHUB_REPOSITORY: repository, GITHUB_SHA: commit, GITHUB_REF: ref = '' } = env
  if (!repository) return undefined
  const isPull = ref.startsWith('refs/pull/')
  const ofHead = isPull && env.DOCKER_DEFAULT_GIT_CONTEXT_PR_HEAD_REF === 'true'
  const at = isPull ? (ofHead ? ref.replace(/\/merge$/, '/head') : ref) : commit || ref
  return `${env.GITHUB_SERVER_URL || 'https://github.com'}/${repository}.git#${at}`
}

function filledArg(line: string, env: Environment): readonly string[] {
  const name = line.trim()
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [line]
  const value = env[name]
  return value === undefined ? [] : [`${name}=${value}`]
}
