import { expect, test } from '@jest/globals'
import { loggedExec } from '../../src/exec/logged-exec.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

test('a command is said as a shell would take it, and how it ended when it failed', async () => {
  const lines: string[] = []
  const exec = loggedExec(new SpawnExec(), (line) => lines.push(line))
  expect(await exec.run('printf', ["it's", '']).then(({ stdout }) => stdout)).toBe("it's")
  await exec.run('sh', ['-c', 'exit 3'])
  expect(lines).toEqual([`$ printf 'it'\\''s' ''`, "$ sh -c 'exit 3'", "exit code 3: sh -c 'exit 3'"])
})
