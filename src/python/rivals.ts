/**
 * Packages that bring the same files with other content, as builds of one library under several names do: the one that
 * is installed last has them. No index tells which files a wheel has, so these are the known ones. Names as PEP 503 has them.
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

/** Two packages of which the order of installs decides what remains; undefined where there are none. */
export function rivals(names: readonly string[]): readonly [string, string] | undefined {
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
