import { runPostAction } from './run-post-action.ts'

await runPostAction()
