import { type SQL, sql } from 'drizzle-orm'
import { movies, users } from '../db/schema'
import { type ContentColumn, contentColumns } from '../movies/columns'
import type { MovieJson } from '../movies/model'

/** Values of the API's form that differ from their columns. */
const formatted: Partial<Record<ContentColumn, SQL>> = { runtime: sql`${contentColumns.runtime} || ' mins'` }

const jsonKeys = (values: Readonly<Record<string, unknown>>) =>
  sql.join(
    Object.entries(values).map(([key, value]) => sql`${sql.raw(`',"${key}":'`)} || to_json(${value})`),
    sql`, `,
  )

/**
 * The same as the text of `movieJson`, made by the database, so that a list is passed through: keys in the
 * contract's order, null ones left out, as `concat` does. `more` follows. Null when no movie was joined.
 */
export const movieJsonColumn = (more: Readonly<Record<string, SQL>> = {}) => sql<string | null>`
  case when ${movies.id} is not null then concat('{"id":', ${movies.id}, ${jsonKeys({ ...contentColumns, ...formatted })},
    ',"created_by":{"id":', ${users.id}, ${jsonKeys({ name: users.name, username: users.username })}, '}',
    ${jsonKeys({ version: movies.version, ...more })}, '}') end`

export const parseMovie = (json: string): MovieJson => JSON.parse(json)
