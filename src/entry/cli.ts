#!/usr/bin/env node
import { runCli } from '../cli/cli.ts'
import { cancellation } from './cancellation.ts'
import { failureOf } from './failure.ts'
import { openTaskDeps } from './open-task-deps.ts'
import { saveAll } from './pending-saves.ts'
import { taskSurroundings } from './task-surroundings.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  // Half of the code, and tasks need none of it.
  withDeps: async (inputs, around, run) => (await import('./with-deps.ts')).withDeps(inputs, around, run),
  openTaskDeps,
  taskSurroundings,
  saveAll,
  failureOf,
  signal: cancellation(),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  startedAt: Date.now() - process.uptime() * 1000,
})
process.exit()
