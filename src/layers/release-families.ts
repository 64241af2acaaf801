/** Packages that are released, and so change, together. */
interface ReleaseFamily {
  readonly title: string
  readonly names: RegExp
}

/**
 * Known trains of releases, the first match counts. Only what shows in lock histories belongs here: the parts of one
 * CUDA toolkit, torch with its compiler, the libraries that torch pins on their own.
 */
const FAMILIES: readonly ReleaseFamily[] = [
  {
    title: 'CUDA toolkit',
    names: /^nvidia-(?:cublas|cuda-|cufft|cufile|curand|cusolver|cusparse(?!lt)|nvjitlink|nvtx|npp|nvjpeg)/,
  },
  { title: 'torch', names: /^(?:torch|triton|pytorch-triton|torchvision|torchaudio)$/ },
  { title: 'libraries that torch pins', names: /^nvidia-(?:cudnn|nccl|cusparselt|nvshmem)/ },
  { title: 'AWS SDK', names: /^(?:boto3|botocore|aiobotocore|s3transfer)$/ },
  { title: 'pydantic', names: /^pydantic(?:-core)?$/ },
  { title: 'OpenTelemetry', names: /^opentelemetry-/ },
  { title: 'JAX', names: /^(?:jax|jaxlib|jax-cuda.*)$/ },
  { title: 'gRPC', names: /^grpcio/ },
  { title: 'LlamaIndex', names: /^llama-index/ },
  { title: 'LangChain', names: /^lang(?:chain|graph|smith)/ },
  { title: 'Google Cloud', names: /^google-cloud-/ },
  { title: 'TensorFlow', names: /^(?:tensorflow|tensorflow-.*|keras|tensorboard)$/ },
]

/** Number of the family that a package belongs to, for grouping; -1 for none. */
export function familyOf(name: string): number {
  return FAMILIES.findIndex((family) => family.names.test(name))
}

/** The family's name for people. */
export function familyTitle(family: number): string | undefined {
  return FAMILIES[family]?.title
}

export const FAMILY_COUNT = FAMILIES.length
