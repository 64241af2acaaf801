import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'

const CLI = resolve(import.meta.dirname, '../../dist/cli/index.js')
let script: string

beforeAll(() => {
  script = run(process.execPath, [CLI, 'completion', 'bash'])
})

/** What bash offers behind a line; the last word is the one that is being written. */
function offered(...words: readonly string[]): readonly string[] {
  const quoted = ['image-cache', ...words].map((word) => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _image_cache; printf '%s\\n' "\${COMPREPLY[@]}"`
  return run('bash', ['-c', `${script}\n${ask}`])
    .split('\n')
    .filter((line) => line !== '')
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

test('commands are offered by their beginning, also those below others', () => {
  expect(offered('ch')).toEqual(['check'])
  expect(offered('')).toEqual(expect.arrayContaining(['build', 'doctor', 'init', 'cache', 'completion']))
  expect(offered('cache', 'c')).toEqual(['clear'])
})

test('options are those of the command, whatever stands between', () => {
  expect(offered('build', '.', '--pu').toSorted()).toEqual(['--publish', '--pull', '--push'])
  expect(offered('cache', 'ls', '--t')).toEqual(['--task'])
  expect(offered('migrate', '--w')).toEqual(['--write'])
  expect(offered('plan', '--ex')).toEqual(['--explain'])
})

test('where there is nothing to offer, files are left to the shell', () => {
  expect(offered('build', 'ap')).toEqual([])
  expect(script).toContain('complete -o default -F _image_cache image-cache')
})

test('a shell that is not known is wrong usage', () => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'completion', 'tcsh'], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([2, expect.stringContaining('bash, zsh')])
})
