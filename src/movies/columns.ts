import { getTableColumns, sql } from 'drizzle-orm'
import { movies, users } from '../db/schema'

const { id, createdAt, createdBy, version, titleWords, directorWords, castWords, genreKeys, ...content } =
  getTableColumns(movies)

/** Columns that clients write and read. */
export const contentColumns = content
export type ContentColumn = keyof typeof contentColumns
export type MovieContent = Pick<typeof movies.$inferSelect, ContentColumn>
/** Nullable columns may be left out. */
export type NewMovie = Pick<typeof movies.$inferInsert, ContentColumn>

/** The columns of every select of movies; needs `users` joined by `createdBy`. */
export const movieColumns = {
  id,
  ...content,
  // Drizzle's own array parser drops backslashes.
  genres: sql<string[]>`to_json(${content.genres})`,
  cast: sql<string[] | null>`to_json(${content.cast})`,
  createdBy: { id: users.id, name: users.name, username: users.username },
  version,
}
