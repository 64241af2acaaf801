import { systemClock } from '../../src/base/clock.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { defineTask } from '../../src/task-cache/define-task.ts'
import { runTask } from '../../src/task-cache/run-task.ts'

/** A process whose task has outputs of some size: prints what the cache said, and how much memory it needed at most. */
const [root = '', folder = '', temporary = '', run = ''] = process.argv.slice(2)
const { status, kept } = await runTask(defineTask({ name: 'measured', run, outputs: { files: ['out'] } }), {
  ...{ root, temporary, store: new LocalStore({ folder, maxBytes: 50e9 }), exec: new SpawnExec(), clock: systemClock },
  ...{ env: process.env, signal: new AbortController().signal, owner: 'this test', log: () => undefined },
})
// The unit of the operating system is kB.
console.log(JSON.stringify({ status, kept: kept?.kind, megabytes: process.resourceUsage().maxRSS / 1000 }))
