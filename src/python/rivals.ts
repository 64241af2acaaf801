import type { SharedFiles } from './shared-files.ts'

/**
 * Packages that bring the same files with other content, as builds of one library under several names do. Wheels are
 * asked for their files; these are the known ones, for where a server can't be asked. Names as PEP 503 has them.
 */
const FAMILIES: readonly (readonly string[])[] = [
  ['opencv-python', 'opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless'],
  ['tensorflow', 'tensorflow-cpu', 'tensorflow-gpu', 'tensorflow-intel', 'intel-tensorflow', 'tf-nightly'],
  ['onnxruntime', 'onnxruntime-gpu', 'onnxruntime-openvino', 'onnxruntime-directml', 'ort-nightly'],
  ['keras', 'keras-nightly'],
  ['tensorboard', 'tb-nightly'],
  ['triton', 'pytorch-triton', 'pytorch-triton-rocm'],
  ['faiss', 'faiss-cpu', 'faiss-gpu', 'faiss-gpu-cu11', 'faiss-gpu-cu12'],
  ['xgboost', 'xgboost-cpu'],
  ['paddlepaddle', 'paddlepaddle-gpu'],
  ['psycopg2', 'psycopg2-binary'],
  ['pillow', 'pillow-simd'],
  ['pycrypto', 'pycryptodome'],
  ['pyjwt', 'jwt'],
  ['jose', 'python-jose'],
  ['bson', 'pymongo'],
  ['docx', 'python-docx'],
  ['dotenv', 'python-dotenv'],
  ['fitz', 'pymupdf'],
  ['serial', 'pyserial'],
  ['websocket', 'websocket-client'],
  ['mysql-connector', 'mysql-connector-python'],
  ['kafka', 'kafka-python', 'kafka-python-ng'],
  ['discord-py', 'py-cord'],
  ['slugify', 'python-slugify', 'awesome-slugify', 'unicode-slugify'],
]

/** Two packages that bring the same, and what of it the image has is decided by the order of installs. */
export interface Rivals {
  readonly packages: readonly [string, string]
  /** The path of a file, or words. */
  readonly what: string
}

/**
 * Finds packages of which the order of installs decides what remains.
 * @param shared undefined where there is no such order: uv installs side by side
 */
export function rivals(names: readonly string[], shared: SharedFiles | undefined): Rivals | undefined {
  if (shared === undefined) return undefined
  const found = shared.files.find(({ packages }) => packages.every((name) => names.includes(name)))
  if (found !== undefined) return { packages: found.packages, what: found.path }
  const known = shared.isComplete ? undefined : knownRivals(names)
  return known && { packages: known, what: 'the same files' }
}

function knownRivals(names: readonly string[]): readonly [string, string] | undefined {
  const seen = new Map<string, string>()
  for (const name of [...names].sort()) {
    const family = familyOf(name)
    const other = family === undefined ? undefined : seen.get(family)
    if (other !== undefined) return [other, name]
    if (family !== undefined) seen.set(family, name)
  }
  return undefined
}

function familyOf(name: string): string | undefined {
  // One library of CUDA 11 and of CUDA 12.
  const [, library] = /^(nvidia-.+|cupy)-cu(?:da)?\d+x?$/.exec(name) ?? []
  return library ?? FAMILIES.find((family) => family.includes(name))?.[0]
}
