import type { ActionRig } from './action-rig.ts'

/** One heavy package and three light ones. */
export const REQUIREMENTS = 'numpy==2.4.0\nsix==1.17.0\nidna==3.11\ncertifi==2025.11.12\n'
/** The same and one more. */
export const ONE_LIGHT_MORE = `${REQUIREMENTS}packaging==25.0\n`

/** A small service as people write it: requirements first, then the source. */
export const DOCKERFILE = `FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY src/ ./src/
CMD ["python", "src/main.py"]
`

export async function writeProject(workspace: ActionRig): Promise<void> {
  await workspace.write('Dockerfile', DOCKERFILE)
  await workspace.write('requirements.txt', REQUIREMENTS)
  await workspace.write('src/main.py', 'import numpy, six, idna, certifi\nprint("generation 1")\n')
}
