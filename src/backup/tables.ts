export type StoredTable = { readonly name: string; readonly order: string; readonly hasIds: boolean }

/** What a backup holds, in an order in which each table finds the rows that it refers to. */
export const storedTables: readonly StoredTable[] = [
  { name: 'users', order: 'id', hasIds: true },
  { name: 'movies', order: 'id', hasIds: true },
  { name: 'users_permissions', order: 'user_id, permission collate "C"', hasIds: false },
  { name: 'favourites', order: 'user_id, movie_id', hasIds: false },
  { name: 'mails', order: 'id', hasIds: true },
  { name: 'seeded_movies', order: 'title collate "C"', hasIds: false },
]

/**
 * What it does not hold: the counts of movies, which triggers keep, and the one-time tokens, which are asked for again
 * at the price of a mail, while a stolen backup would let their hashes be used for as long as they hold.
 */
export const tablesLeftOut: readonly string[] = ['movie_counts', 'tokens']
