import { runTaskAction } from './run-task-action.ts'

await runTaskAction()
