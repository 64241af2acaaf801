import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ServiceError } from './service-error.ts'

export interface RunOptions {
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Gets each line of both streams as it comes. */
  readonly onLine?: (line: string) => void
}

/**
 * Runs a program to its end and answers its standard output.
 * @throws ServiceError with the last lines that it wrote when it can't be started or fails
 */
export function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let all = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      all += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      all += text
    })
    if (options.onLine !== undefined) {
      const { onLine } = options
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', onLine)
      }
    }
    child.on('error', (error) => reject(new ServiceError(`${command} can't be run: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout)
      const last = all.trim().split('\n').slice(-15).join('\n')
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`
      reject(new ServiceError(`${command} ${args.slice(0, 3).join(' ')} ended ${how}; its last lines:\n${last}`))
    })
  })
}
