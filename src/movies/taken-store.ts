import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { brokenConstraint, constraintFailure } from '../db/errors'
import { movies } from '../db/schema'
import { Failure } from '../errors'
import type { NewMovie } from './columns'

type Content = Pick<NewMovie, 'title' | 'year' | 'imdb_id' | 'external_id'>
type Holder = { id: string | null; byYear: boolean }

const others = {
  // The account was removed while its token was still cached.
  movies_created_by_users_id_fk: () => new Failure('invalidAuthenticationToken'),
}

/**
 * The client's view of a refused write, naming the movie that has the value already. That one is looked up
 * afterwards, so it may be gone.
 */
export async function explainRefusal(db: Db, error: unknown, movie: Content): Promise<unknown> {
  const index = brokenConstraint(error)
  // The second name is that of the replacement index while it is being built.
  if (index === 'movies_title_key' || index === 'movies_title_key_new') {
    const { id, byYear } = await ofTitle(db, index, movie)
    return new Taken(
      { title: `a movie with this title ${byYear ? 'and year ' : ''}already exists` },
      numberOf(id),
    )
  }
  if (index === 'movies_imdb_id_key')
    return new Taken(
      { imdb_id: 'a movie with this IMDb id already exists' },
      await idOf(db, sql`${movies.imdb_id} = ${movie.imdb_id}`),
    )
  if (index === 'movies_external_id_key')
    return new Taken(
      { external_id: 'a movie with this external id already exists' },
      await idOf(db, sql`${movies.external_id} = ${movie.external_id}`),
    )
  return constraintFailure(error, 'movies', others)
}

/** A 422: another movie has the value. Its id is undefined if it was gone when it was looked for. */
export class Taken extends Failure {
  constructor(
    error: Record<string, string>,
    readonly movieId: number | undefined,
  ) {
    const headers = { Link: `</v1/movies/${movieId}>; rel="duplicate"` }
    super('invalid', { error, headers: movieId === undefined ? {} : headers })
  }
}

const numberOf = (id: string | null | undefined) => (id == null ? undefined : Number(id))

async function idOf(db: Db, condition: ReturnType<typeof sql>): Promise<number | undefined> {
  const [found] = await db.execute<{ id: string }>(sql`select id from ${movies} where ${condition}`)
  return numberOf(found?.id)
}

/** Asks the index itself for the rule, since this process's configuration may differ. */
async function ofTitle(db: Db, index: string, { title, year }: Content): Promise<Holder> {
  const [found] = await db.execute<Holder>(sql`
    select mode."byYear", (
      select id from ${movies}
      where title_key(${movies.title}) = title_key(${title}) and (not mode."byYear" or ${movies.year} = ${year}::int)
      order by id limit 1) as id
    from (select coalesce(
      (select indnatts > 1 from pg_index where indexrelid = to_regclass(${index})), false) as "byYear") as mode`)
  return found ?? { id: null, byYear: false }
}
