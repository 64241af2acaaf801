import { describe, expect, test } from '@jest/globals'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { type StepCommands, stepCommands } from '../../src/dockerfile/step-commands.ts'

function read(command: string): StepCommands {
  const [stage] = parseDockerfile(`FROM python\nRUN ${command}\n`, 'Dockerfile').stages
  const [run] = stage?.instructions ?? []
  if (run === undefined) throw new Error('no step')
  const commands = stepCommands(run, {
    env: { PATH: '/usr/local/bin:/bin' },
    workingDir: '/app',
    pythonVersion: undefined,
    user: '',
  })
  if ('code' in commands) throw new Error(commands.sentence)
  return commands
}

describe('a command behind an install into a folder', () => {
  test.each([
    ['/usr/local', 'which gunicorn'],
    ['/usr/local', 'ls /usr/local/bin/gunicorn'],
    ['/usr/local', 'ldconfig'],
    ['/usr/local', 'chmod --reference=/usr/local/bin/a /data'],
    ['/deps', 'cd /deps && touch /ready'],
    ['/app/.venv', 'useradd -m -d /app worker'],
    ['/srv/env', 'useradd --home-dir=/srv worker'],
    ['/home/worker/env', 'useradd -m worker'],
  ])('into %s is not taken apart from it: %s', (target, command) => {
    expect(read(`pip install a && ${command}`).conflict(target)?.code).toBe('several-commands')
  })

  test.each([
    ['/usr/local', 'useradd -r -d /nonexistent -s /usr/sbin/nologin worker'],
    ['/usr/local', 'ls /app'],
    ['/usr/local', 'apk del .build-deps'],
    ['/srv/env', 'ldconfig'],
    ['/deps', 'cd /app && touch ready'],
  ])('into %s stands by itself: %s', (target, command) => {
    const commands = read(`pip install a && ${command}`)
    expect(commands.conflict(target)).toBeUndefined()
    expect(commands.remainder).toBe(command)
  })
})
