export type StoredTable = { readonly name: string; readonly order: string; readonly hasIds: boolean }

/** The tables of a backup, ordered so that each comes after those it refers to. */
export const storedTables: readonly StoredTable[] = [
  { name: 'users', order: 'id', hasIds: true },
  { name: 'movies', order: 'id', hasIds: true },
  { name: 'users_permissions', order: 'user_id, permission collate "C"', hasIds: false },
  { name: 'keys', order: 'id', hasIds: true },
  { name: 'favourites', order: 'user_id, movie_id', hasIds: false },
  { name: 'mails', order: 'id', hasIds: true },
  { name: 'audit_events', order: 'id', hasIds: true },
  { name: 'seeded_movies', order: 'title collate "C"', hasIds: false },
]

/**
 * Left out: counts of movies, versions of the catalogue and known words, which triggers keep; and one-time
 * tokens, which are easily requested again, while a stolen backup would expose their hashes.
 */
export const tablesLeftOut: readonly string[] = [
  'movie_counts',
  'catalogue_versions',
  'known_words',
  'tokens',
]
