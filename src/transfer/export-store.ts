import { sql } from 'drizzle-orm'
import { withCursors } from '../backup/cursors'
import { listed } from '../db/batch'
import type { Db } from '../db/client'
import { movies, users } from '../db/schema'
import { contentColumns } from '../movies/columns'
import type { Movie } from '../movies/model'

type Options = { readonly kind: 'postgres' | 'embedded'; readonly ownerId: number | undefined }

/** Reads all movies, or one user's, in the order of their ids, as of one moment. */
export function withMovies<T>(
  db: Db,
  { kind, ownerId }: Options,
  work: (pages: AsyncIterable<readonly Movie[]>) => Promise<T>,
): Promise<T> {
  const content = Object.keys(contentColumns).map((name) => sql`${movies}.${sql.identifier(name)}`)
  // A cursor takes no parameters.
  const ofOwner = ownerId === undefined ? sql`` : sql.raw(`where movies.created_by = ${ownerId}`)
  const query = sql`
    select row_to_json(movie)::text as line from (
      select ${movies.id}, ${listed(content)}, ${movies.version}, json_build_object(
        'id', ${users.id}, 'name', ${users.name}, 'username', ${users.username}) as "createdBy"
      from ${movies} join ${users} on ${users.id} = ${movies.createdBy} ${ofOwner}
      order by ${movies.id}
    ) as movie`
  return withCursors(
    db,
    kind,
    (_, declare) => declare(query),
    (rows) => work(moviesOf(rows())),
  )
}

async function* moviesOf(pages: AsyncIterable<readonly string[]>): AsyncGenerator<readonly Movie[]> {
  for await (const page of pages) yield page.map((line) => JSON.parse(line))
}
