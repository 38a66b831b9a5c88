import { field, isMissing } from '../rules/objects'

export const MAX_RUNTIME_MINUTES = 100_000
const PATTERN = /^([1-9]\d{0,5}) mins$/

/** "107 mins" → 107; NaN for anything else. */
export function parseRuntime(value: unknown): number {
  const minutes = typeof value === 'string' ? Number(PATTERN.exec(value)?.[1]) : Number.NaN
  return minutes <= MAX_RUNTIME_MINUTES ? minutes : Number.NaN
}

/** Undefined for an imported movie of unknown runtime. */
export const formatRuntime = (minutes: number | null) => (minutes === null ? undefined : `${minutes} mins`)

export const runtimeField = field<string>({ type: 'string', pattern: '^[1-9][0-9]{0,5} mins$' }, (value) => {
  if (isMissing(value)) return 'must be provided'
  if (Number.isNaN(parseRuntime(value)))
    return `must be a string like "107 mins", from 1 to ${MAX_RUNTIME_MINUTES} minutes`
})
