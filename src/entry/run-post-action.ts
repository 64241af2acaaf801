import { SpawnExec } from '../exec/spawn-exec.ts'
import { GithubHost } from '../host/github-host.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import { openStore } from '../stores/open-store.ts'
import type { Store } from '../stores/store.ts'
import { parseStoreSetting } from '../stores/store-setting.ts'
import { cancellation } from './cancellation.ts'
import { failureOf } from './failure.ts'
import { decodeExports, EXPORTS_STATE, finishExport } from './late-exports.ts'
import { BUILDERS_STATE, decodeBuilders, removeBuilders } from './made-builders.ts'
import { openRegistry } from './open-registry.ts'
import { decodePending, decodeSaves, PENDING_STATE, SAVES_STATE, saveAll } from './pending-saves.ts'
import { saveTasks, TASK_SAVES_STATE } from './task-saves.ts'

/** The post step of all actions: keeps the records of a run that went well. Nothing here fails a job. */
export async function runPostAction(): Promise<void> {
  const host = await GithubHost.open()
  try {
    const saves = decodeSaves(host.state(SAVES_STATE))
    const pending = decodePending(host.state(PENDING_STATE))
    if (saves.length + pending.length > 0) {
      const kind = parseBuildInputs((name) => (name === 'store' ? host.input(name) : '')).store
      const { store } = openStore({ kind, env: process.env, pending })
      for (const trouble of await saveAll(saves, store)) host.warning(trouble)
    }
    await finishExports(host)
    const made = decodeBuilders(host.state(BUILDERS_STATE))
    for (const trouble of await removeBuilders(made, new SpawnExec())) host.warning(trouble)
    for (const trouble of await saveTasks(host.state(TASK_SAVES_STATE), openNamed)) host.warning(trouble)
  } catch (error) {
    host.warning(`records were not kept: ${failureOf(error).sentence}`)
  }
  process.exit()
}

/** Waits for exports that the main step began: all go on at the same time. */
async function finishExports(host: GithubHost): Promise<void> {
  const running = decodeExports(host.state(EXPORTS_STATE))
  if (running.length === 0) return
  const registry = openRegistry({ env: process.env, exec: new SpawnExec(), signal: cancellation() })
  const ends = await Promise.all(running.map((late) => finishExport(late, registry)))
  for (const { sentence, isTrouble } of ends) {
    if (isTrouble) host.warning(sentence)
    else host.info(sentence)
  }
}

/** The store that the main step used; the runner alone holds its name. */
function openNamed(text: string): Store {
  const setting = parseStoreSetting(text)
  const kind = typeof setting !== 'string' && 'wrong' in setting ? 'off' : setting
  return openStore({ kind, env: process.env }).store
}
