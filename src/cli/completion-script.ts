/** A command as a shell has to know it. */
export interface CompletedCommand {
  /** Names of the commands that lead to it, without the program's: `['cache', 'ls']`. */
  readonly path: readonly string[]
  readonly options: readonly string[]
  /** Names of the commands below it. */
  readonly commands: readonly string[]
}

export const SHELLS = ['bash', 'zsh'] as const
export type Shell = (typeof SHELLS)[number]

/**
 * A script that completes commands and options of `image-cache`; where it has nothing to say, files are completed. Zsh
 * runs it through its own emulation of bash's completion.
 */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  const cases = commands.map(
    ({ path, options, commands: below }) =>
      `    '${path.join(' ')}') options='${options.join(' ')}' commands='${below.join(' ')}' ;;`,
  )
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`)
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_image_cache() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' options='' commands='' word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${path:+$path }\${COMP_WORDS[index]}"
    case "$word" in
    ${known.join(' | ')}) path="$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$commands" -- "$current")) ;;
  esac
}
complete -o default -F _image_cache image-cache
`
}
