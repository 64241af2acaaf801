/**
 * Images as data, in place of a Dockerfile.
 *
 * @module specs
 */
export {
  type InstallOptions,
  image,
  type ProjectOptions,
  SpecImage,
  type StepOptions,
} from '../spec/image-builder.ts'
export type { ImageSpec, SpecLayer, SpecSecret } from '../spec/image-spec.ts'
export { parseSpec } from '../spec/parse-spec.ts'
export { type RenderSpecOptions, renderSpec } from '../spec/render-spec.ts'
