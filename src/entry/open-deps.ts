import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import type { Surroundings } from '../cli/command-world.ts'
import { createLiveProgress } from '../cli/live-progress.ts'
import type { Deps, PendingSave } from '../deps.ts'
import { SpawnExec } from '../exec/spawn-exec.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { dockerCredentials } from '../registry/credentials.ts'
import { DOCKER_CERTIFICATE_FOLDERS, dockerCertificates } from '../registry/docker-certificates.ts'
import { HttpRegistry } from '../registry/http-registry.ts'
import { openStore } from '../stores/open-store.ts'

/** The real outside world. `saves` fills with what is to be kept once the run has gone well. */
export function openDeps(
  inputs: BuildInputs,
  around: Surroundings,
): { readonly deps: Deps; readonly saves: readonly PendingSave[] } {
  const { host, context, env, signal } = around
  const exec = new SpawnExec()
  const configFile = join(env.DOCKER_CONFIG || join(env.HOME ?? '', '.docker'), 'config.json')
  const saves: PendingSave[] = []
  const deps: Deps = {
    host,
    context,
    exec,
    registry: new HttpRegistry({
      credentials: dockerCredentials({ configFile, authConfig: env.DOCKER_AUTH_CONFIG, exec }),
      certificates: dockerCertificates(DOCKER_CERTIFICATE_FOLDERS),
      proxies: env,
      signal,
    }),
    store: openStore({ kind: inputs.store, env }).store,
    saveLater: (save) => saves.push(save),
    clock: systemClock,
    display: createLiveProgress({
      writeLine: (line) => host.info(line),
      screen: around.screen,
      clock: systemClock,
      color: around.color ?? false,
    }),
    signal,
    env,
  }
  return { deps, saves }
}
