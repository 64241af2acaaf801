import { describe, expect, test } from '@jest/globals'
import type { BaseImage, BuildView } from '../../src/dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { parseDockerfile } from '../../src/dockerfile/parse-dockerfile.ts'
import { madeAccount } from '../../src/dockerfile/user-accounts.ts'

const python: BaseImage = { env: { PATH: '/usr/local/bin:/usr/bin:/bin', PYTHON_VERSION: '3.12.4' } }
const contextFiles = ['requirements.txt', 'pyproject.toml', 'uv.lock', 'src/main.py']

function find(text: string, more: Partial<BuildView> = {}): ReturnType<typeof findInstalls> {
  const view: BuildView = { baseImage: () => python, contextFiles, ...more }
  return findInstalls(parseDockerfile(`FROM python\n${text}\n`, 'Dockerfile'), view)
}

/** Of each install the owner and the folder, or the code of what keeps it. */
function places(text: string, more: Partial<BuildView> = {}): readonly string[] {
  return find(text, more).map((found) =>
    isInstallStep(found) ? `${found.target.owner ?? 'root'} ${found.target.folder ?? 'system'}` : found.code,
  )
}

const APP = 'RUN useradd -m app\n'

describe('the packages that another user than root installs', () => {
  test.each([
    [
      'go to its home, as pip cannot write to the system’s',
      `${APP}USER app\nRUN pip install a`,
      'app /home/app/.local',
    ],
    ['go there with --user', `${APP}USER app\nRUN pip install --user a`, 'app /home/app/.local'],
    ['are its group’s, too', `${APP}USER app:users\nRUN pip install a`, 'app:users /home/app/.local'],
    [
      'go to the home that useradd is told',
      'RUN useradd -md /srv/h app\nUSER app\nRUN pip install a',
      'app /srv/h/.local',
    ],
    [
      'go to a home that adduser makes',
      'RUN adduser --disabled-password --gecos "" app\nUSER app\nRUN pip install a',
      'app /home/app/.local',
    ],
    ['go to the home of the number', 'RUN useradd -mu 1000 app\nUSER 1000\nRUN pip install a', 'app /home/app/.local'],
    [
      'have the numbers of USER',
      'RUN useradd -mu 1000 app\nUSER 1000:1000\nRUN pip install a',
      '1000:1000 /home/app/.local',
    ],
    [
      'have numbers from build arguments',
      'ARG U=7\nRUN useradd -m -u $U app\nUSER $U\nRUN pip install a',
      'app /home/app/.local',
    ],
    ['go to HOME', 'ENV HOME=/w\nUSER 5:6\nWORKDIR /w\nRUN pip install a', '5:6 /w/.local'],
    [
      'go to an environment of its own',
      `${APP}USER app\nRUN python -m venv /home/app/v\nRUN /home/app/v/bin/pip install a`,
      'app /home/app/v',
    ],
    [
      'go to an environment that it was given',
      `${APP}RUN python -m venv /v && chown -R app /v\nUSER app\nRUN /v/bin/pip install a`,
      'app /v',
    ],
    [
      'go to its project',
      `${APP}USER app\nWORKDIR /w\nCOPY --chown=app pyproject.toml uv.lock ./\nRUN uv sync`,
      'app /w/.venv',
    ],
    [
      'go to a project that was copied for it',
      `${APP}COPY --chown=app:app . /w/\nUSER app\nWORKDIR /w\nRUN uv sync`,
      'app /w/.venv',
    ],
    [
      'have scripts on PATH',
      `${APP}USER app\nENV PATH=/home/app/.local/bin:$PATH\nRUN pip install a`,
      'app /home/app/.local',
    ],
    [
      'are found below modes and groups',
      `${APP}RUN chmod 700 /home/app && usermod -aG users app\nUSER app\nRUN pip install a`,
      'app /home/app/.local',
    ],
    ['are root’s again after USER root', `${APP}USER app\nUSER root\nRUN pip install a`, 'root system'],
  ])('%s', (_, text, place) => {
    expect(places(text)).toEqual([place])
  })

  test.each([
    ['no step makes the user', 'USER app\nRUN pip install a', 'not-root'],
    ['the user has no home', 'RUN useradd app\nUSER app\nRUN pip install a', 'not-root'],
    ['a system user has no home', 'RUN adduser --system app\nUSER app\nRUN pip install a', 'not-root'],
    ['only the image tells the group of a number', 'ENV HOME=/w\nUSER 5\nWORKDIR /w\nRUN pip install a', 'not-root'],
    ['HOME is root’s', `ENV HOME=/root\n${APP}USER app\nRUN pip install a`, 'not-root'],
    ['the user was changed', `${APP}RUN usermod -d /x app\nUSER app\nRUN pip install a`, 'not-root'],
    [
      'the list of users was copied',
      `${APP}COPY --from=other /etc/passwd /etc/passwd\nUSER app\nRUN pip install a`,
      'not-root',
    ],
    ['homes are filled from elsewhere', 'RUN useradd -mk /skel app\nUSER app\nRUN pip install a', 'not-root'],
    ['the system’s packages were opened', `${APP}RUN chmod -R a+w /usr/local\nUSER app\nRUN pip install a`, 'not-root'],
    ['the system’s packages were given away', `${APP}RUN chown -R app /usr\nUSER app\nRUN pip install a`, 'not-root'],
    ['uv would write to the system', `${APP}USER app\nRUN uv pip install --system a`, 'not-root'],
    [
      'packages of users are not looked for',
      `${APP}ENV PYTHONNOUSERSITE=1\nUSER app\nRUN pip install a`,
      'virtual-environment',
    ],
    ['the environment is root’s', `${APP}RUN python -m venv /v\nUSER app\nRUN /v/bin/pip install a`, 'not-root'],
    ['the project’s folder is root’s', `${APP}WORKDIR /w\nCOPY . .\nUSER app\nRUN uv sync`, 'not-root'],
    [
      'the project’s folder was root’s before',
      `${APP}WORKDIR /w\nCOPY . .\nUSER app\nWORKDIR /w\nRUN uv sync`,
      'not-root',
    ],
    [
      'the project’s folder is root’s again',
      `${APP}USER app\nWORKDIR /w\nCOPY . .\nUSER 0\nRUN chown root /w\nUSER app\nRUN uv sync`,
      'not-root',
    ],
    ['new files would take over a group', `${APP}RUN chmod g+s /home/app\nUSER app\nRUN pip install a`, 'environment'],
    ['files may lie there', `${APP}COPY --from=other /x /home/app/.local\nUSER app\nRUN pip install a`, 'environment'],
    ['the folder may be any', `${APP}USER app\nRUN pip install --target /opt/x a`, 'not-root'],
    ['poetry keeps settings in homes', `${APP}USER app\nWORKDIR /w\nRUN poetry install`, 'not-root'],
  ])('stay in their step where %s', (_, text, code) => {
    expect(places(text)).toEqual([code])
  })

  test('stay on Alpine, whose adduser makes homes that hand down their group', () => {
    const alpine = { ...python, libc: 'musl' } as const
    const text = 'RUN adduser -D app\nUSER app\nRUN pip install a'
    expect(places(text, { baseImage: () => alpine })).toEqual(['not-root'])
    expect(places(`${APP}USER app\nRUN pip install a`, { baseImage: () => alpine })).toEqual(['app /home/app/.local'])
  })

  test('stay where the context brings settings into the home', () => {
    const text = `${APP}USER app\nWORKDIR /home/app\nCOPY . .\nRUN pip install a`
    expect(places(text)).toEqual(['app /home/app/.local'])
    const files = [...contextFiles, '.config/pip/pip.conf']
    expect(places(text, { contextFiles: files })).toEqual(['environment'])
  })
})

describe('an account', () => {
  test.each([
    ['useradd -ms /bin/bash app', { name: 'app', uid: undefined, home: '/home/app', hasHome: true }],
    ['useradd -rmu 7 -g users app', { name: 'app', uid: '7', home: '/home/app', hasHome: true }],
    ['useradd --uid=7 --home-dir /h app', { name: 'app', uid: '7', home: '/h', hasHome: false }],
    ['adduser --uid 7 --ingroup g app', { name: 'app', uid: '7', home: '/home/app', hasHome: true }],
    ['adduser --system --home /h app', { name: 'app', uid: undefined, home: '/h', hasHome: true }],
    ['adduser --no-create-home app', { name: 'app', uid: undefined, home: '/home/app', hasHome: false }],
    ['adduser app users', undefined],
    ['useradd -m -b /homes app', undefined],
    ['useradd -m -R /other app', undefined],
    ['groupadd app', undefined],
  ])('%s', (command, account) => {
    expect(madeAccount(command.split(' '))).toEqual(account)
  })
})
