import { getTableColumns, sql } from 'drizzle-orm'
import { movies, users } from '../db/schema'

const { id, createdAt, createdBy, version, titleWords, directorWords, castWords, genreKeys, ...content } =
  getTableColumns(movies)

/** What a movie says of itself: these are written, and read. */
export const contentColumns = content
export type ContentColumn = keyof typeof contentColumns
export type MovieContent = Pick<typeof movies.$inferSelect, ContentColumn>
/** Of which whatever may be null may be left out. */
export type NewMovie = Pick<typeof movies.$inferInsert, ContentColumn>

/** What every select of movies reads; needs `users` joined by `createdBy`. */
export const movieColumns = {
  id,
  ...content,
  // Drizzle's own reader of arrays drops the backslashes in them.
  genres: sql<string[]>`to_json(${content.genres})`,
  cast: sql<string[] | null>`to_json(${content.cast})`,
  createdBy: { id: users.id, name: users.name, username: users.username },
  version,
}
