import type { MovieField, ReasonCode } from './row'

// The rules of movies/model speak to people; a report counts kinds of mistakes.
const BY_WORDS: readonly (readonly [RegExp, ReasonCode])[] = [
  [/^must be provided|^must not be empty|^must contain at least/, 'missing'],
  [/more than \d+ characters long$/, 'too long'],
  [/^must not contain more than \d+ entries|^must not contain duplicates/, 'too many'],
  [/^must be between|^must be in a year|^must be below|^must be a string like "107 mins"/, 'out of range'],
  [/must not contain|^must not start or end|^must not be "\."/, 'characters'],
  [/^must be a calendar date/, 'date'],
  [/^must be an http/, 'url'],
]

const ENTRY = /^entry \d+ /

/** The kind of mistake that a rule's message is about. */
export function codeOf(message: string): ReasonCode {
  const words = message.replace(ENTRY, '')
  return BY_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'type'
}

/** Options that advice depends on. */
type Chosen = { readonly onDuplicate: OnDuplicate; readonly require?: readonly MovieField[] }
export const onDuplicateModes = ['skip', 'fail', 'update', 'suffix-year'] as const
export type OnDuplicate = (typeof onDuplicateModes)[number]

const ENCODING = '--encoding says how to read them, such as windows-1252'
const ADVICE: Readonly<Record<string, string>> = {
  'genres: too many': '--extra-genres cut keeps the first five',
  'release_date: date': '--date-format says how to read them, such as d.m.y',
  'title: missing': '--map COLUMN=title names the column',
  'year: missing': '--map COLUMN=year names the column',
}

/** About rows with one reason: whether these are all rows, and may be in another encoding than they were read in. */
type Rows = { readonly isAll: boolean; readonly isMisread: boolean }

/** The option that would rescue the rows rejected for this reason. */
export function adviceFor(
  reason: string,
  { onDuplicate, require = [] }: Chosen,
  { isAll, isMisread }: Rows,
): string | undefined {
  const [field = '', code = ''] = reason.split(': ')
  if (code === 'namesake' && onDuplicate !== 'suffix-year')
    return '--on-duplicate suffix-year adds them as "Title (year)"'
  if (code === 'exists' && onDuplicate === 'fail') return '--on-duplicate skip leaves these out'
  if (code === 'exists' && onDuplicate === 'update') return "leave out --owner to change others' movies"
  if (code === 'missing' && require.some((name) => name === field)) return '--require without it takes them'
  // A column that some rows fill is known.
  if (code === 'missing' && !isAll) return undefined
  return isMisread ? ENCODING : ADVICE[reason]
}
