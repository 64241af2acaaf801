type Env = Readonly<Record<string, string | undefined>>

/**
 * What a task doesn't get: inputs and states of the action, and the token of GitHub's cache, which a `run:` step hasn't
 * got either. With it a script of a package could put anything into the cache that others restore from.
 */
export function isWithheld(name: string): boolean {
  return /^(INPUT_|STATE_|ACTIONS_RUNTIME_|ACTIONS_RESULTS_URL$|ACTIONS_CACHE_|IMAGE_CACHE_SIGNING_KEY$)/.test(name)
}

/** The environment of tasks. */
export function taskEnv(env: Env): Env {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isWithheld(name)))
}

const SECRET = /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY|PRIVATE_KEY|ACCESS_KEY|SIGNING_KEY)$/i

/** Values that must neither be kept nor shown: those of variables whose names say so. Short ones would mask words. */
export function secretsIn(env: Env): readonly string[] {
  return Object.entries(env).flatMap(([name, value = '']) => (SECRET.test(name) && value.length >= 8 ? [value] : []))
}
