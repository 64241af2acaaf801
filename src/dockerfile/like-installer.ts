import { shellWord } from '../base/shell-word.ts'
import type { StageLayers } from './dependency-stage.ts'

/**
 * Shell lines by which files that uv has installed become what the user's own installer would have left.
 * @param target folder below which they lie
 */
export function likeInstaller(layers: StageLayers, target: string): readonly string[] {
  return [
    ...shebangLines(layers, target),
    ...bytecodeLines(layers, target),
    ...withoutBytecode(layers, target),
    ...asPipWrites(layers, target),
  ]
}

/** Console scripts name the Python that installed them; where the final image has it elsewhere they are told so. */
function shebangLines(
  { interpreter, installerInterpreter = interpreter }: StageLayers,
  target: string,
): readonly string[] {
  if (installerInterpreter === interpreter) return []
  const change = `1s|^#!${installerInterpreter}$|#!${interpreter}|`
  return [
    `if [ -d ${shellWord(`${target}/bin`)} ]; then find ${shellWord(`${target}/bin`)} -type f -exec sed -i ${shellWord(change)} {} +; fi`,
  ]
}

/** One process and hashes instead of times, or the bytes would differ each time. What can't be compiled stays as it is, as pip leaves it. */
function bytecodeLines(layers: StageLayers, target: string): readonly string[] {
  if (!layers.bytecode) return []
  const python = shellWord(layers.installerInterpreter ?? layers.interpreter)
  return [
    `${python} -m compileall -qq -j1 -s /layer -p / --invalidation-mode unchecked-hash ${shellWord(target)} || true`,
  ]
}

/** Some wheels bring bytecode along, which poetry and pdm leave out (the library `installer` from 1.0 on). */
function withoutBytecode({ steps, bytecode }: StageLayers, target: string): readonly string[] {
  const leavesOut = steps.some(({ project }) => project !== undefined && project.tool !== 'uv' && project.isInstaller)
  if (bytecode || !leavesOut) return []
  return [`find ${shellWord(target)} -depth -type d -name __pycache__ -exec rm -rf {} +`]
}

/**
 * pip writes a package's list of files anew, where uv leaves it the mode that the wheel has for it; and it makes folders
 * for files alone, where uv makes a wheel's empty ones, too.
 */
function asPipWrites({ steps }: StageLayers, target: string): readonly string[] {
  if (!steps.some(({ installer }) => installer === 'pip')) return []
  return [
    `find ${shellWord(target)} -path '*.dist-info/RECORD' -exec chmod 644 {} +`,
    `find ${shellWord(target)} -mindepth 1 -type d -empty -delete`,
  ]
}
