import type { StageLayers } from '../../src/dockerfile/dependency-stage.ts'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import type { LayerGroup } from '../../src/layers/layer-plan.ts'

/** Layers in the place of every install of a Dockerfile, the same groups in each stage. */
export function plannedLayers(
  text: string,
  view: BuildView,
  groups: readonly LayerGroup[],
  more: Partial<StageLayers> = {},
): readonly StageLayers[] {
  const steps = findInstalls(parseDockerfile(text, 'Dockerfile'), view).filter(isInstallStep)
  return [...new Set(steps.map(({ stage }) => stage))].map((stage) => ({
    stage,
    steps: steps.filter((step) => step.stage === stage),
    plan: { groups },
    pythonVersion: '3.12',
    prefix: '/usr/local',
    interpreter: '/usr/local/bin/python3.12',
    installerImage: 'tools.example/python-uv@sha256:abc',
    platform: 'linux/amd64',
    libc: 36,
    settings: { indexUrl: undefined, extraIndexUrls: [], findLinks: [], preReleases: false },
    bytecode: true,
    ...more,
  }))
}
