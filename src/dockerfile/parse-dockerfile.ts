import type { Dockerfile, Instruction, Stage } from './dockerfile.ts'
import { failAt } from './dockerfile-error.ts'
import { dockerfileSyntax } from './dockerfile-syntax.ts'
import { nameValues, plainWords } from './instruction-words.ts'
import { ScanError, type ScannedFile, scanInstructions } from './scan-instructions.ts'

const KNOWN = [
  ...['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER'],
  ...['ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'],
]

/**
 * Reads a Dockerfile into stages and instructions, with the place of each in the text. Refuses only what BuildKit would
 * refuse as well; a file that names a frontend of its own in `# syntax=` may use instructions that are unknown here.
 * @param fileName as errors name it.
 * @throws ImageCacheError E_DOCKERFILE: `Dockerfile:12: unknown instruction: FORM`.
 */
export function parseDockerfile(text: string, fileName: string): Dockerfile {
  const { escapeChar, directives, instructions } = scan(text, fileName)
  const foreign = dockerfileSyntax(directives).kind === 'foreign'
  const globalArgs: Instruction[] = []
  const stages: Stage[] = []
  let open: Instruction[] = []

  for (const instruction of instructions) {
    const fail = (message: string): never => failAt(fileName, instruction.lines.first, message)
    const problem = foreign ? undefined : mistake(instruction, escapeChar)
    if (problem !== undefined) fail(problem)
    if (instruction.keyword === 'FROM') {
      open = []
      stages.push(readStage(instruction, stages.length, open, fail))
    } else if (stages.length > 0) open.push(instruction)
    else if (instruction.keyword === 'ARG') globalArgs.push(instruction)
    else if (!foreign) fail(`${instruction.keyword} stands before the first FROM`)
  }
  if (stages.length === 0 && !foreign) {
    const line = instructions.at(-1)?.lines.last ?? 1
    failAt(fileName, line, instructions.length === 0 ? 'the file has no instructions' : 'there is no FROM')
  }
  const dockerfile: Dockerfile = {
    fileName,
    text,
    newline: /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n',
    escapeChar,
    directives,
    globalArgs,
    stages,
  }
  checkStageNumbers(dockerfile)
  return dockerfile
}

function scan(text: string, fileName: string): ScannedFile {
  try {
    return scanInstructions(text)
  } catch (error) {
    if (error instanceof ScanError) failAt(fileName, error.line, error.message, error)
    throw error
  }
}

function readStage(from: Instruction, index: number, instructions: Instruction[], fail: (m: string) => never): Stage {
  const [base, as, given, ...more] = plainWords(from.rest)
  if (base === undefined) return fail('FROM needs an image')
  if (more.length > 0 || (as !== undefined && (given === undefined || as.toUpperCase() !== 'AS'))) {
    return fail('FROM requires either one or three arguments (FROM image AS name)')
  }
  const name = given?.toLowerCase()
  if (name !== undefined && !/^[a-z][a-z0-9_.-]*$/.test(name)) {
    return fail(`${JSON.stringify(given)} can't name a stage: a letter comes first, then letters, digits, -, _ and .`)
  }
  const platform = from.flags.find((flag) => flag.name === 'platform')?.value
  return { index, name, base, platform, from, instructions }
}

function mistake(instruction: Instruction, escapeChar: string): string | undefined {
  const { keyword, rest, json } = instruction
  if (!KNOWN.includes(keyword)) return `unknown instruction: ${keyword}`
  if (keyword === 'ENV' || keyword === 'ARG') {
    const pairs = nameValues(keyword, rest, escapeChar)
    return typeof pairs === 'string' ? pairs : undefined
  }
  if (keyword === 'COPY' || keyword === 'ADD') {
    return (json ?? plainWords(rest)).length < 2 ? `${keyword} requires at least two arguments` : undefined
  }
  if (keyword === 'SHELL' && (json === undefined || json.length === 0)) return 'SHELL requires a JSON array'
  if (['WORKDIR', 'USER', 'ONBUILD'].includes(keyword) && rest === '') return `${keyword} requires an argument`
  return undefined
}

/** A number in COPY --from is a stage's place; a name may also be an image or a named context, so it is never wrong. */
function checkStageNumbers({ fileName, stages }: Dockerfile): void {
  for (const stage of stages) {
    for (const { keyword, flags, lines } of stage.instructions) {
      const from = keyword === 'COPY' ? flags.find((flag) => flag.name === 'from')?.value : undefined
      if (from === undefined) continue
      if (/^[+-]?\d+$/.test(from) && !(Number(from) >= 0 && Number(from) < stages.length)) {
        failAt(
          fileName,
          lines.first,
          `COPY --from=${from}: there is no stage ${from}, the last one is ${stages.length - 1}`,
        )
      }
      if (/\$[\w{]/.test(from)) {
        failAt(
          fileName,
          lines.first,
          `COPY --from=${from}: build arguments are not filled in here; name a stage instead`,
        )
      }
    }
  }
}
