import type { UniqueBy } from '../config/config'
import type { NewMovie } from '../movies/columns'
import type { OnDuplicate } from './codes'
import { type Candidate, suffixed } from './judge'
import type { MovieField, ReasonCode, RowProblem } from './row'
import type { Shelf, Shelved } from './shelf'

export type Outcome = 'added' | 'updated' | 'unchanged' | 'skipped' | 'not_movies' | readonly RowProblem[]

export type Policy = {
  readonly onDuplicate: OnDuplicate
  /** Whose movies the new ones are. */
  readonly ownerId: number
  /** Whether `update` changes other people's movies too. */
  readonly changesAll: boolean
  readonly uniqueBy: UniqueBy
}

/** A candidate with the keys of its title, and of its title with the year. */
export type Keyed = Candidate & { readonly key: string; readonly suffixedKey: string | undefined }

/** Decides what becomes of a row, and does it to the shelf (contract, section 11). */
export function decide(row: Keyed, shelf: Shelf, policy: Policy): Outcome {
  const same = sameMovies(row, shelf)
  if (same.size > 0) return decideSame(row, same, shelf, policy)
  if (namesakesOf(row, undefined, shelf, policy).length > 0) return decideNamesake(row, shelf, policy)
  return add(row.movie, row.key, shelf, policy)
}

/** The movies that the row is about, and by which fields. */
function sameMovies({ movie, key }: Keyed, shelf: Shelf): Map<Shelved, MovieField[]> {
  const same = new Map<Shelved, MovieField[]>()
  const note = (found: Shelved | undefined, field: MovieField) => {
    if (found !== undefined) same.set(found, [...(same.get(found) ?? []), field])
  }
  if (movie.imdb_id) note(shelf.withImdbId(movie.imdb_id), 'imdb_id')
  if (movie.external_id) note(shelf.withExternalId(movie.external_id), 'external_id')
  for (const found of shelf.titled(key)) if (found.content.year === movie.year) note(found, 'title')
  return same
}

/** Other movies whose title keeps the row's from being written. */
function namesakesOf({ key }: Keyed, itself: Shelved | undefined, shelf: Shelf, { uniqueBy }: Policy) {
  if (uniqueBy === 'title,year') return []
  return shelf.titled(key).filter((other) => other !== itself)
}

function decideSame(row: Keyed, same: Map<Shelved, MovieField[]>, shelf: Shelf, policy: Policy): Outcome {
  const { onDuplicate } = policy
  if (onDuplicate === 'fail') return [...new Set([...same.values()].flat())].map(exists)
  if (onDuplicate !== 'update') return 'skipped'
  const [[movie, fields] = [], another] = same
  if (movie === undefined || fields === undefined) return 'skipped'
  if (another !== undefined) return TWO_MOVIES
  if (!policy.changesAll && movie.ownerId !== policy.ownerId) return fields.map(anothers)
  if (namesakesOf(row, movie, shelf, policy).length > 0) return NAMESAKE
  return update(row, movie, shelf)
}

function update(row: Keyed, movie: Shelved, shelf: Shelf): Outcome {
  const changes = row.filled.filter((field) => !isSame(row.movie[field], movie.content[field]))
  if (changes.length === 0) return 'unchanged'
  const content = {
    ...movie.content,
    ...Object.fromEntries(changes.map((field) => [field, row.movie[field]])),
  }
  const isTaken = shelf
    .titled(row.key)
    .some((other) => other !== movie && other.content.year === content.year)
  if (isTaken) return TWO_MOVIES
  shelf.change(movie, row.key, content)
  return 'updated'
}

const isSame = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

function decideNamesake({ movie, suffixedKey }: Keyed, shelf: Shelf, policy: Policy): Outcome {
  if (policy.onDuplicate !== 'suffix-year') return NAMESAKE
  const title = suffixed(movie)
  if (title === undefined || suffixedKey === undefined) return TOO_LONG
  const taken = shelf.titled(suffixedKey)
  if (taken.some(({ content }) => content.year === movie.year)) return 'skipped'
  return taken.length > 0 ? NAMESAKE : add({ ...movie, title }, suffixedKey, shelf, policy)
}

function add(content: NewMovie, key: string, shelf: Shelf, { ownerId }: Policy): Outcome {
  shelf.add({ id: undefined, key, content, ownerId, storedVersion: 0, version: 1 })
  return 'added'
}

const problem = (field: RowProblem['field'], code: ReasonCode, message: string): RowProblem => ({
  field,
  code,
  message,
})
const exists = (field: MovieField) => problem(field, 'exists', 'is that of a movie in the catalogue')
const anothers = (field: MovieField) =>
  problem(field, 'exists', "is that of a movie in the catalogue that isn't the --owner's")
const TWO_MOVIES = [problem('row', 'two movies', 'matches two movies of the catalogue')]
const NAMESAKE = [problem('title', 'namesake', 'is that of a movie from another year')]
const TOO_LONG = [problem('title', 'too long', 'is too long to have the year added')]
