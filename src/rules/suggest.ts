const MAX_WORD = 60
const LETTERS_PER_MISTAKE = 3
const MAX_MISTAKES = 3

const bare = (word: string) => word.toLowerCase().replace(/[-_ ]/g, '')

/** The known word within 1 to 3 typos, or the same but for case and hyphens. */
export function closest(
  word: string,
  known: Iterable<string>,
  maxMistakes = MAX_MISTAKES,
): string | undefined {
  if (word.length > MAX_WORD) return undefined
  let best: string | undefined
  let fewest = Math.min(maxMistakes, Math.floor(word.length / LETTERS_PER_MISTAKE)) + 1
  for (const candidate of known) {
    const mistakes = mistakesOf(word, candidate, fewest)
    if (mistakes < fewest && mistakes < candidate.length / 2) {
      fewest = mistakes
      best = candidate
    }
  }
  return best
}

const MIN_START = 4

/** Exact only below `enough`. */
function mistakesOf(word: string, candidate: string, enough: number): number {
  if (bare(candidate) === bare(word)) return 0
  if (word.length >= MIN_START && candidate.startsWith(word)) return 1
  // A mistake changes the length by at most one.
  return Math.abs(candidate.length - word.length) < enough ? distance(word, candidate) : enough
}

/** The end of a message: `, did you mean "genres"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const meant = closest(word, known)
  return meant === undefined ? '' : `, did you mean "${meant}"?`
}

/** Letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

const MAX_SHOWN_CHARACTERS = 60

/** A text from outside, quoted for a one-line message and cut if it is long. */
export const quoted = (text: string) =>
  JSON.stringify(text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text)
