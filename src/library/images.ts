/**
 * Building images, and asking whether they exist. Settings are the inputs of the action, by the same names; `options`
 * say where the run takes place.
 *
 * @module images
 */
export { buildImage } from '../entry/build-image.ts'
export { checkBuild } from '../entry/check-build.ts'
export { type CheckImagesOptions, checkImage, checkImages } from '../entry/check-images.ts'
export { type ContentIdentity, contentKey } from '../entry/content-key.ts'
export type { RunOptions } from '../entry/library-run.ts'
export {
  type PublishedImage,
  type PublishedIndex,
  type PublishIndexOptions,
  type PublishOptions,
  publish,
  publishIndex,
} from '../entry/publish.ts'
export { type RenderedDockerfile, renderDockerfile } from '../entry/render-dockerfile.ts'
export type { CheckedImage } from '../flow/check-result.ts'
export type { ImageResult } from '../flow/image-result.ts'
export type { Assembly } from '../flow/plan-dockerfile.ts'
export type { KeyPart } from '../image/key-parts.ts'
export type { AskedChecker, CheckAnswer, CheckerName } from '../image-check/image-check.ts'
export type { BuildSettings, SettingValues } from '../inputs/build-settings.ts'
export type { BuildInput } from '../inputs/input-list.ts'
