import { runBakeAction } from './run-bake-action.ts'

await runBakeAction()
