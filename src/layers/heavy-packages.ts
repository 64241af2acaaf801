import type { ResolvedPackage } from '../python/resolution.ts'

const MB = 1e6

/** Names that are heavy whatever the version: the prior where sizes are not known. */
export const HEAVY_PACKAGES: readonly string[] = ['scikit-learn', 'tensorflow', 'torch', 'torchaudio', 'torchvision']

/** Bytes of a wheel that nobody tells the size of, when its name says nothing either. */
const LIGHT = MB
/** The same for a name that is known, or was given, as heavy. */
const HEAVY = 100 * MB

/** Usual sizes of Linux wheels that come from indexes without sizes, in MB, rounded. */
const USUAL_MB: ReadonlyMap<string, number> = new Map([
  ['bitsandbytes', 60],
  ['cupy-cuda12x', 110],
  ['flash-attn', 250],
  ['jaxlib', 90],
  ['llvmlite', 42],
  ['numpy', 16],
  ['nvidia-cublas-cu12', 590],
  ['nvidia-cuda-cupti-cu12', 10],
  ['nvidia-cuda-nvrtc-cu12', 88],
  ['nvidia-cudnn-cu12', 700],
  ['nvidia-cufft-cu12', 193],
  ['nvidia-curand-cu12', 63],
  ['nvidia-cusolver-cu12', 267],
  ['nvidia-cusparse-cu12', 288],
  ['nvidia-cusparselt-cu12', 287],
  ['nvidia-nccl-cu12', 320],
  ['nvidia-nvjitlink-cu12', 39],
  ['nvidia-nvshmem-cu12', 130],
  ['onnxruntime', 17],
  ['onnxruntime-gpu', 250],
  ['opencv-python', 68],
  ['opencv-python-headless', 54],
  ['pandas', 12],
  ['pyarrow', 45],
  ['pyspark', 320],
  ['ray', 70],
  ['scikit-learn', 10],
  ['scipy', 36],
  ['tensorflow', 620],
  ['tensorflow-cpu', 230],
  ['torch', 850],
  ['torchaudio', 4],
  ['torchvision', 8],
  ['transformers', 11],
  ['triton', 156],
  ['vllm', 400],
  ['xformers', 117],
])

/** Torch for the processor alone is a fifth of the one with CUDA: the local version tells. */
const TORCH_CPU_MB = 190

/**
 * Compressed bytes of a package's wheel: as the index tells, else by what is known of the name. An estimate that only
 * shapes the plan.
 * @param heavy names to take as heavy where nothing better is known, normalised.
 */
export function estimatedSize(pkg: ResolvedPackage, heavy: readonly string[] = HEAVY_PACKAGES): number {
  if (pkg.wheel.size !== undefined) return pkg.wheel.size
  if (pkg.name === 'torch' && /\+cpu|%2Bcpu/i.test(`${pkg.version} ${pkg.wheel.fileName}`)) return TORCH_CPU_MB * MB
  const usual = USUAL_MB.get(pkg.name)
  if (usual !== undefined) return usual * MB
  return heavy.includes(pkg.name) ? HEAVY : LIGHT
}
