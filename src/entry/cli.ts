#!/usr/bin/env node
import { runCli } from '../cli/cli.ts'
import { cancellation } from './cancellation.ts'
import { failureOf } from './failure.ts'
import { removeBuilders } from './made-builders.ts'
import { openDeps } from './open-deps.ts'
import { openTaskDeps } from './open-task-deps.ts'
import { saveAll } from './pending-saves.ts'
import { taskSurroundings } from './task-surroundings.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  openDeps,
  openTaskDeps,
  taskSurroundings,
  saveAll,
  removeBuilders,
  failureOf,
  signal: cancellation(),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  startedAt: Date.now() - process.uptime() * 1000,
})
process.exit()
