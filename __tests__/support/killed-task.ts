import { systemClock } from '../../src/base/clock.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { defineTask } from '../../src/task-cache/define-task.ts'
import { runTask } from '../../src/task-cache/run-task.ts'

/** A process to be killed while its task is half-way: says so on its standard output. */
const [root = '', folder = '', temporary = ''] = process.argv.slice(2)
const run = 'mkdir -p dist; echo half > dist/a; echo half-way; sleep 2'
await runTask(defineTask({ name: 'killed', run, outputs: { files: ['dist'] } }), {
  ...{ root, temporary, store: new LocalStore({ folder }), exec: new SpawnExec(), clock: systemClock },
  ...{ env: process.env, signal: new AbortController().signal, owner: 'the killed one' },
  log: (line) => {
    if (line === 'half-way') console.log(line)
  },
})
