import { expect, test } from '@jest/globals'
import { stepLayers } from '../../src/buildx/step-layers.ts'
import { timelineOf, vertexLine } from '../support/rawjson-streams.ts'

const image = {
  history: [
    { createdBy: 'base', isEmpty: false },
    { createdBy: 'ENV A=1', isEmpty: true },
    { createdBy: 'RUN /bin/sh -c make # buildkit', isEmpty: false },
    { createdBy: 'WORKDIR /', isEmpty: true },
    { createdBy: 'COPY app /app # buildkit', isEmpty: false },
    { createdBy: 'CMD ["app"]', isEmpty: true },
  ],
  layers: [45_000_000, 2000, 300],
}

test('each step that ran gets the layer at its place in the final stage', () => {
  const { steps } = timelineOf([
    vertexLine({ id: 1, name: '[1/4] FROM base', start: 0, end: 1 }),
    vertexLine({ id: 2, name: '[2/4] RUN make', start: 1, end: 2, inputs: [1] }),
    vertexLine({ id: 3, name: '[3/4] WORKDIR /', start: 2, end: 3, inputs: [2] }),
    vertexLine({ id: 4, name: '[4/4] COPY --link app /app', start: 3, end: 4 }),
    vertexLine({ id: 5, name: '[4/4] LINK COPY --link app /app', start: 4, end: 5, inputs: [3, 4] }),
    vertexLine({ id: 6, name: 'exporting to image', start: 5, end: 6 }),
  ])
  expect(stepLayers(steps, image)).toEqual([
    { step: '[2/4] RUN make', bytes: 2000 },
    { step: '[4/4] COPY --link app /app', bytes: 300 },
  ])
})

test('cached steps and those of other stages made none of its layers', () => {
  const { steps } = timelineOf([
    vertexLine({ id: 1, name: '[deps 2/2] RUN pip install x', start: 0, end: 1 }),
    vertexLine({ id: 2, name: '[stage-1 2/3] RUN make', start: 1, end: 1, cached: true }),
    vertexLine({ id: 3, name: '[stage-1 3/3] COPY --from=deps /x /x', start: 1, end: 2, inputs: [2, 1] }),
  ])
  expect(stepLayers(steps, image)).toEqual([{ step: '[stage-1 3/3] COPY --from=deps /x /x', bytes: 300 }])
  expect(stepLayers([], image)).toEqual([])
})

test('a named context in place of FROM leaves the numbers one short of their count', () => {
  const { steps } = timelineOf([
    vertexLine({ id: 1, name: '[context base] docker-image://base', start: 0, end: 1 }),
    vertexLine({ id: 2, name: '[1/3] RUN make', start: 1, end: 1, cached: true, inputs: [1] }),
    vertexLine({ id: 3, name: '[2/3] COPY app /app', start: 2, end: 3, inputs: [2] }),
  ])
  expect(stepLayers(steps, image)).toEqual([{ step: '[2/3] COPY app /app', bytes: 300 }])
})
