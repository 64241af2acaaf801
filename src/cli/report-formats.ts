/** How a report is drawn. */
export const REPORT_FORMATS = ['markdown', 'html', 'svg', 'json'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]
