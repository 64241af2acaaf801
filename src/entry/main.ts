import { runBuildAction } from './run-build-action.ts'

await runBuildAction()
