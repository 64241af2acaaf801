import { shellWord } from '../base/shell-word.ts'
import type { Exec } from './exec.ts'

/** Runs programs and says which, and how each one ended: what people see who look for a mistake. */
export function loggedExec(exec: Exec, say: (line: string) => void): Exec {
  return {
    async run(command, args, options) {
      const shown = [command, ...args].map(shellWord).join(' ')
      say(`$ ${shown}`)
      const result = await exec.run(command, args, options)
      const end = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`
      if (result.exitCode !== 0) say(`${end}: ${shown}`)
      return result
    },
  }
}
