import { runMergeAction } from './run-merge-action.ts'

await runMergeAction()
