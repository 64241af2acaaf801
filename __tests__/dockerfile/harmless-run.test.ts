import { describe, expect, test } from '@jest/globals'
import type { Instruction } from '../../src/dockerfile/dockerfile.ts'
import { leavesFolderAlone } from '../../src/dockerfile/harmless-run.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'

function run(command: string): Instruction {
  const [instruction] = parseDockerfile(`FROM python\nRUN ${command}\n`, 'Dockerfile').stages[0]?.instructions ?? []
  if (instruction === undefined) throw new Error('no step')
  return instruction
}

describe('a RUN leaves /opt/venv alone', () => {
  test.each([
    'useradd app || true',
    'if [ "$DEV" = "true" ]; then apt-get install -y git; else mkdir /none; fi',
    'test -f /opt/venv/bin/python || mkdir -p /srv/x',
    'curl -LsSf https://astral.sh/uv/install.sh | sh && mv /root/.local/bin/uv /usr/local/bin/',
    'curl -fsSL https://x.example/key | gpg --dearmor -o /usr/share/keyrings/x.gpg',
    'echo "deb https://x.example ./" > /etc/apt/sources.list.d/x.list && apt-get update',
    'echo x | tee -a /etc/apt/sources.list',
    'ln -s /usr/lib/a.so /usr/lib/b.so && cp /etc/a /etc/b',
    'sed -i s/a/b/g /etc/apt/sources.list',
    'curl -fsSLO https://x.example/file && tar -xzf /tmp/file -C /srv && rm /tmp/file 2>/dev/null',
    'git clone --depth 1 https://x.example/a /srv/a',
    'mkdir -p /opt/data; chown app /opt/data',
  ])('%s', (command) => {
    expect(leavesFolderAlone(run(command), '/opt/venv', '/src')).toBe(true)
  })

  test.each([
    './setup.sh || true',
    'if [ "$DEV" = "true" ]; then /opt/venv/bin/pip list; fi',
    'for i in a b; do mkdir /$i; done',
    'curl -LsSf https://x.example/install.sh | sh',
    'curl -fsSL https://x.example/a -o /opt/venv/a',
    'curl -fsSL https://x.example/a | tar -xz -C /opt',
    'tar -xzf a.tar.gz -C/opt/venv',
    'echo x > /opt/venv/a',
    'echo x | tee /opt/venv/a',
    'echo x > $FILE',
    'ln -s /srv /opt',
    'cp -r /srv/. /opt/venv/',
    'mv /opt/venv /srv',
    'chown -R app /opt',
    'mkdir -p /opt/venv',
    'rm -rf /opt/v*',
    'cd /opt && rm -rf venv',
  ])('not so %s', (command) => {
    expect(leavesFolderAlone(run(command), '/opt/venv', '/src')).toBe(false)
  })

  test.each(['tar -xzf a.tar.gz', 'git clone https://x.example/opt'])('nor %s at the root', (command) => {
    expect(leavesFolderAlone(run(command), '/opt/venv', '/')).toBe(false)
  })

  test.each([
    ['mkdir /opt/venv', true],
    ['mkdir -p /opt && mkdir -p /opt/venv', true],
    ['mkdir -m 700 /opt/venv', false],
    ['mkdir -pm700 /opt', false],
    ['mkdir -p /opt/venv/lib', false],
    ['mkdir /opt/venv && chown app /opt/venv', false],
  ])('where it may make the folder itself: %s is %s', (command, alone) => {
    expect(leavesFolderAlone(run(command), '/opt/venv', '/src', true)).toBe(alone)
  })

  test.each(['/root', '/usr/local', '/usr'])('a known script is not known to leave %s alone', (folder) => {
    expect(leavesFolderAlone(run('curl -LsSf https://astral.sh/uv/install.sh | sh'), folder, '/src')).toBe(false)
  })
})
