// What the rules of `q` say, movie by movie (docs/decisions/0019-finding-as-people-type.md).

type Movie = { id: number; title: string; year: number; director: string | null; cast: string[] | null }
export type Split = (text: string) => string[]

const ENOUGH = 10
const forms = new Map<string, ReadonlySet<string>>()
/** A word, and what is left of it without any one letter. */
function formsOf(word: string): ReadonlySet<string> {
  const found =
    forms.get(word) ?? new Set([word, ...[...word].map((_, i) => [...word].toSpliced(i, 1).join(''))])
  forms.set(word, found)
  return found
}
const areNear = (a: string, b: string) => !formsOf(a).isDisjointFrom(formsOf(b))
const lengthOf = (word: string) => [...word].length

/** The movies that `q` finds among those that other filters leave, in the order of relevance. `known` are the words of all titles, ever. */
export function foundByQ<M extends Movie>(
  q: string,
  movies: readonly M[],
  known: ReadonlySet<string>,
  split: Split,
): M[] {
  const read: Split = (text) => split(text.replaceAll('&', ' and '))
  const asked = read(q)
  const letters = asked.join('')
  const has = (words: readonly string[], word: string, place: number, shortest = 2) =>
    words.some(
      (other) =>
        other === word ||
        (place === asked.length - 1 && lengthOf(word) >= shortest && other.startsWith(word)),
    )
  const rankOfWords = ({ title, director, cast }: M) => {
    const inTitle = read(title)
    const all = [...inTitle, ...read(director ?? ''), ...read(cast?.join('\n') ?? '')]
    if (!asked.every((word, place) => has(all, word, place))) return undefined
    if (!asked.every((word, place) => has(inTitle, word, place))) return 4
    if (inTitle.join('') === letters) return 1
    return inTitle.join('').startsWith(letters) ? 2 : 3
  }
  const all = lengthOf(letters)
  const most = Math.floor(all / 3)
  const rankOfLikeness = ({ title }: M) => {
    const words = read(title)
    const hasAll = (...wanted: string[]) => wanted.every((word) => words.includes(word))
    let cost = 0
    let missing = 0
    for (const [place, word] of asked.entries()) {
      const apart = [...word].map((_, i) => [word.slice(0, i), word.slice(i)])
      if (
        has(words, word, place, 4) ||
        (place > 0 && hasAll(asked[place - 1] + word)) ||
        (place < asked.length - 1 && hasAll(word + asked[place + 1])) ||
        ((lengthOf(word) > 6 || !known.has(word)) && apart.some((parts) => hasAll(...parts))) ||
        (lengthOf(word) > 2 && lengthOf(word) < 7 && hasAll(...word))
      )
        continue
      const size = lengthOf(word)
      const isNear = (other: string) => lengthOf(other) > 1 && areNear(other, word)
      if ((size > 3 || (size === 3 && size > most)) && words.some(isNear)) cost++
      else {
        cost += size
        missing++
        if (missing > 1 || size > most || all - size < 6) return undefined
      }
    }
    return cost > most ? undefined : 5 + cost + Math.abs(lengthOf(title) - lengthOf(asked.join(' ')))
  }
  const ranked = (rankOf: (movie: M) => number | undefined) =>
    movies.flatMap((movie) => {
      const rank = rankOf(movie)
      return rank === undefined ? [] : [{ movie, rank }]
    })
  const found = ranked(rankOfWords)
  if (found.length < ENOUGH) {
    const exact = new Set(found.map(({ movie }) => movie))
    found.push(...ranked((movie) => (exact.has(movie) ? undefined : rankOfLikeness(movie))))
  }
  found.sort((a, b) => a.rank - b.rank || b.movie.year - a.movie.year || a.movie.id - b.movie.id)
  return found.map(({ movie }) => movie)
}
