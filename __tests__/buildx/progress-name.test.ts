import { describe, expect, test } from '@jest/globals'
import { parseStepName } from '../../src/buildx/progress-name.ts'

describe('names of steps', () => {
  test.each([
    ['[stage-1 2/5] COPY --from=builder /c /c', 'copy', 'stage-1', undefined],
    ['[ 2/12] RUN x', 'run', undefined, undefined],
    ['[deps-1  2/12] RUN a/b', 'run', 'deps-1', undefined],
    ['[linux/arm64 deps-1 2/3] ADD x /', 'copy', 'deps-1', 'linux/arm64'],
    ['[linux/amd64->arm64 build 2/3] RUN x', 'run', 'build', 'linux/amd64->arm64'],
    ['[app linux/arm64 deps-1 1/3] FROM base', 'from', 'deps-1', 'linux/arm64'],
    ['[linux/amd64 1/3] WORKDIR /app', 'instruction', undefined, 'linux/amd64'],
    ['[a 2/2] ONBUILD RUN x', 'run', 'a', undefined],
    ['[a 2/2] LINK COPY --link x /', 'link', 'a', undefined],
    ['[internal] load build context', 'internal', undefined, undefined],
    ['[app internal] load .dockerignore', 'internal', undefined, undefined],
    ['[auth] team/app:pull token for registry.example', 'internal', undefined, undefined],
    ['[context src] load from client', 'internal', undefined, undefined],
    ['resolve image config for docker-image://registry.example/frontend:1', 'internal', undefined, undefined],
    ['resolving provenance for metadata file', 'internal', undefined, undefined],
    ['importing cache manifest from registry.example/app:cache', 'cache-import', undefined, undefined],
    ['[app] exporting to image', 'export', undefined, undefined],
    ['exporting to docker image format', 'export', undefined, undefined],
    ['importing to docker', 'export', undefined, undefined],
    ['something new', 'other', undefined, undefined],
    ['', 'other', undefined, undefined],
  ])('%s', (name, kind, stage, platform) => {
    expect(parseStepName(name)).toMatchObject({ kind, stage, platform })
  })
})
