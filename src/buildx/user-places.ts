import type { BuildTimeline } from './progress-timeline.ts'

/** A line of a file that people know. */
export interface UserPlace {
  readonly file: string
  readonly line: number
}

/**
 * The user's place for a line of what is built; undefined where it is none of theirs.
 * @param file its name as the builder says it, where it does
 */
export type PlaceOf = (line: number, file: string | undefined) => UserPlace | undefined

/** Puts the user's own file and lines in the place of those of the Dockerfile that was built. */
export function withUserPlaces(timeline: BuildTimeline, placeOf: PlaceOf): BuildTimeline {
  const { failed, warnings } = timeline
  return {
    ...timeline,
    failed: failed && { ...failed, place: failed.place && placeOf(failed.place.line, failed.place.file) },
    warnings: warnings.map((warning) => {
      const place = warning.line === undefined ? undefined : placeOf(warning.line, warning.file)
      // Some messages name the line, too.
      const line = place === undefined ? '' : ` (line ${place.line})`
      return {
        ...warning,
        message: warning.message.replace(/ \(line \d+\)$/, line),
        file: place?.file,
        line: place?.line,
      }
    }),
  }
}
