/**
 * What a build has to tell: the form of `report` in the result of `buildImage`, and of `image-cache build --json`.
 *
 * @module reports
 */
export type {
  BlobPull,
  BuildStep,
  BuildTimeline,
  BuildWarning,
  FailedStep,
  Interval,
  PushSpan,
  StepInterval,
  StepKind,
  StepStatus,
  TimelineSpan,
} from '../buildx/progress-timeline.ts'
export type { PullCause, PullFinding } from '../buildx/pull-audit.ts'
export type { StepLayer } from '../buildx/step-layers.ts'
export type {
  BuildOutcome,
  BuildReport,
  ReportCache,
  ReportCheck,
  ReportDockerfileStep,
  ReportLayer,
  ReportPublish,
  ReportStage,
  ReportWarning,
} from '../report/report.ts'
export type { TaskRow } from '../report/task-report.ts'
