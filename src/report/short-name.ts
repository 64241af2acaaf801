import type { BuildStep } from '../buildx/progress-timeline.ts'

/** A step's name for a narrow column: its stage, then its command without mounts, digests and white space. */
export function shortStep(step: BuildStep): string {
  const text = step.text
    .replace(/@sha256:[0-9a-f]{64}/g, '')
    .replace(/ --mount=\S+/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  const stage = [step.platform, step.stage].filter((part) => part !== undefined).join(' ')
  return stage === '' ? text : `${stage}: ${text}`
}

/** `push registry.example/team/app:1@sha256:…` without digests, and without the registry where that is too long. */
export function shortReference(text: string): string {
  const name = text.replace(/@sha256:[0-9a-f]+$/, '')
  return name.length <= 42 ? name : name.replace(/(^| )[^ /]+\//, '$1')
}

/** A text of at most `most` characters, its end replaced by `…` when it is longer. */
export function shorten(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, Math.max(1, most - 1))
        .join('')
        .trimEnd()}…`
}
