import { describe, expect, test } from '@jest/globals'
import { decidedRun, type RunSurroundings } from '../../src/dockerfile/decided-run.ts'
import type { BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

const around: RunSurroundings = {
  env: { DEV: 'true', EMPTY: '', UID: '1000' },
  unset: new Set(['NONE']),
  shell: undefined,
}

function decided(command: string, more: Partial<RunSurroundings> = {}): string {
  const [stage] = parseDockerfile(`FROM python\nRUN ${command}\n`, 'Dockerfile').stages
  const [run] = stage?.instructions ?? []
  if (run === undefined) throw new Error('no step')
  const { rest, heredocs } = decidedRun(run, { ...around, ...more })
  return heredocs[0]?.content ?? rest
}

describe('a condition on build arguments is decided', () => {
  test.each([
    ['if [ "$DEV" = "true" ]; then pip install a; fi', 'pip install a'],
    [`if [ "\${DEV}" = true ] ; then pip install a ; else pip install b ; fi`, 'pip install a'],
    ['if [ "$DEV" != "true" ]; then pip install a; else pip install b; fi', 'pip install b'],
    ['if [ "$NONE" = "true" ]; then pip install a; fi', ':'],
    ['if test -n "$EMPTY"; then pip install a; fi', ':'],
    ['if [ -z "$NONE" ]; then pip install a; fi', 'pip install a'],
    ['if ! [ "$DEV" = "false" ]; then pip install a; fi', 'pip install a'],
    ['mkdir /a && if [ "$DEV" = "true" ]; then x && y; fi && mkdir /b', 'mkdir /a && x && y && mkdir /b'],
    ['set -e; if [ "$DEV" = "true" ]; then x; y; fi; mkdir /b', 'set -e; x; y; mkdir /b'],
    ['mkdir /a && if [ "$NONE" = "1" ]; then x; for i in 1; do y; done; fi', 'mkdir /a && :'],
    ['if [ "$DEV" = "true" ]; then if [ "$NONE" = "1" ]; then x; else y; fi; fi', 'y'],
    ['if [ "$NONE" = "1" ]; then if [ -f /x ]; then x; fi; fi', ':'],
    ['<<EOF\nif [ "$DEV" = "true" ]; then\n  pip install a\nfi\nEOF', 'pip install a\n'],
  ])('%s', (command, text) => {
    expect(decided(command)).toBe(text)
  })

  test('where a shell has == in bash alone', () => {
    const command = 'if [ "$DEV" == "true" ]; then x; fi'
    expect(decided(command)).toBe(command)
    expect(decided(command, { shell: ['/bin/bash', '-c'] })).toBe('x')
  })
})

describe('a condition is left to the shell when', () => {
  test.each([
    ['its variable is the shell’s', 'if [ "$OTHER" = "true" ]; then x; fi'],
    ['its variable is one that shells set', 'if [ "$UID" = "1000" ]; then x; fi'],
    ['its variable is set by the step', 'DEV=no; if [ "$DEV" = "true" ]; then x; fi'],
    ['its variable may be set by the step', 'read DEV; if [ "$DEV" = "true" ]; then x; fi'],
    ['a file may set its variable', '. /env; if [ "$DEV" = "true" ]; then x; fi'],
    ['it looks at a file', 'if [ -f /x ]; then x; fi'],
    ['it runs a program', 'if grep -q x /y; then x; fi'],
    ['it has two parts', 'if [ "$DEV" = "true" ] && [ -f /x ]; then x; fi'],
    ['there are more than two branches', 'if [ "$DEV" = "a" ]; then x; elif [ -f /x ]; then y; fi'],
    ['it compares numbers', 'if [ "$DEV" -eq 1 ]; then x; fi'],
    ['its variable has a default', `if [ "\${DEV:-no}" = "true" ]; then x; fi`],
    ['its variable holds nothing and has no quotes', 'if [ $EMPTY = "true" ]; then x; fi'],
    ['its body would be another thing in a list', 'mkdir /a && if [ "$DEV" = "true" ]; then x; y; fi'],
    ['its result is asked for', 'if [ "$DEV" = "true" ]; then x; fi || y'],
    ['its output goes on', 'if [ "$DEV" = "true" ]; then x; fi | y'],
    ['its output goes into a file', 'if [ "$DEV" = "true" ]; then x; fi > /y'],
    ['a secret may be its variable', '--mount=type=secret,id=a,env=NONE if [ -n "$NONE" ]; then x; fi'],
  ])('%s', (_, command) => {
    expect(decided(command)).toBe(command.replace(/^--mount\S+ /, ''))
  })

  test('it is for another shell', () => {
    const command = 'if [ "$DEV" = "true" ]; then x; fi'
    expect(decided(command, { shell: ['pwsh', '-Command'] })).toBe(command)
  })
})

describe('installs on a condition', () => {
  const text = `FROM python
ARG DEV
RUN pip install a
RUN if [ "$DEV" = "true" ]; then pip install b; fi
RUN pip install c
`
  const view: BuildView = {
    baseImage: () => ({ env: { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' } }),
    contextFiles: [],
  }
  const packages = (buildArgs: Readonly<Record<string, string>>): readonly string[] =>
    findInstalls(parseDockerfile(text, 'Dockerfile'), { ...view, buildArgs }).flatMap((found) =>
      isInstallStep(found) ? found.packages : [found.code],
    )

  test('are those of the build at hand', () => {
    expect(packages({})).toEqual(['a', 'c'])
    expect(packages({ DEV: 'true' })).toEqual(['a', 'b', 'c'])
  })
})
