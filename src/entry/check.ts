import { runCheckAction } from './run-check-action.ts'

await runCheckAction()
