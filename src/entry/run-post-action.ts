import { GithubHost } from '../host/github-host.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import { openStore } from '../stores/open-store.ts'
import { failureOf } from './failure.ts'
import { decodeSaves, SAVES_STATE, saveAll } from './pending-saves.ts'

/** The build action's post step: keeps the records of a run that went well. Nothing here fails a job. */
export async function runPostAction(): Promise<void> {
  const host = new GithubHost()
  try {
    const saves = decodeSaves(host.state(SAVES_STATE))
    if (saves.length > 0) {
      const { store } = openStore({ kind: parseBuildInputs((name) => host.input(name)).store, env: process.env })
      for (const trouble of await saveAll(saves, store)) host.warning(trouble)
    }
  } catch (error) {
    host.warning(`records were not kept: ${failureOf(error).sentence}`)
  }
  process.exit()
}
