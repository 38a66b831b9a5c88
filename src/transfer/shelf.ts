import type { NewMovie } from '../movies/columns'

/** A movie of the catalogue, or one that a row of this batch adds. */
export type Shelved = {
  /** Undefined until it is written. */
  readonly id: number | undefined
  /** Section 3's key of its title, as the database makes it. */
  key: string
  content: NewMovie
  readonly ownerId: number
  /** As the database has it; 0 for a new one. */
  readonly storedVersion: number
  version: number
}

/**
 * What a batch may meet: the movies that its rows resemble, as the rows before them in the batch have left
 * them.
 */
export type Shelf = {
  add(movie: Shelved): void
  /** Changes a movie of the shelf. */
  change(movie: Shelved, key: string, content: NewMovie): void
  titled(key: string): readonly Shelved[]
  withImdbId(id: string): Shelved | undefined
  withExternalId(id: string): Shelved | undefined
  /** Movies to write. */
  changed(): readonly Shelved[]
}

export function createShelf(found: readonly Shelved[]): Shelf {
  const byKey = new Map<string, Shelved[]>()
  const byImdbId = new Map<string, Shelved>()
  const byExternalId = new Map<string, Shelved>()
  const changed = new Set<Shelved>()

  function place(movie: Shelved) {
    const { imdb_id: imdbId, external_id: externalId } = movie.content
    const namesakes = byKey.get(movie.key)
    if (namesakes === undefined) byKey.set(movie.key, [movie])
    else namesakes.push(movie)
    if (imdbId) byImdbId.set(imdbId, movie)
    if (externalId) byExternalId.set(externalId, movie)
  }
  function take(movie: Shelved) {
    const { key, content } = movie
    const namesakes = byKey.get(key) ?? []
    byKey.set(
      key,
      namesakes.filter((other) => other !== movie),
    )
    byImdbId.delete(content.imdb_id ?? '')
    byExternalId.delete(content.external_id ?? '')
  }

  const ids = new Set<number | undefined>()
  for (const movie of found) {
    if (!ids.has(movie.id)) place(movie)
    ids.add(movie.id)
  }
  return {
    add(movie) {
      place(movie)
      changed.add(movie)
    },
    change(movie, key, content) {
      take(movie)
      Object.assign(movie, { key, content, version: movie.version + 1 })
      place(movie)
      changed.add(movie)
    },
    titled: (key) => byKey.get(key) ?? [],
    withImdbId: (id) => byImdbId.get(id),
    withExternalId: (id) => byExternalId.get(id),
    changed: () => [...changed],
  }
}
