import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { refusal } from '../db/database-errors'
import { favourites, movies } from '../db/schema'
import { Failure } from '../errors'
import type { MovieList, MovieSortKey, Page, Sort } from '../movies/list-model'
import { conditions, hasFilters, type ListedMovie, movieOrder } from '../movies/list-store'
import { listFrom } from '../movies/store'

const refusals = {
  favourites_movie_id_movies_id_fk: () => new Failure('notFound'),
  // The account went while its token was still believed.
  favourites_user_id_users_id_fk: () => new Failure('invalidAuthenticationToken'),
}

/** A film that already is a favourite keeps its place. Throws a 404 when there is no such film. */
export async function addFavourite(db: Db, userId: number, movieId: number): Promise<void> {
  try {
    await db.insert(favourites).values({ userId, movieId }).onConflictDoNothing()
  } catch (error) {
    throw refusal(error, 'favourites', refusals)
  }
}

/** False when it was not a favourite. */
export async function removeFavourite(db: Db, userId: number, movieId: number): Promise<boolean> {
  const removed = await db
    .delete(favourites)
    .where(and(eq(favourites.userId, userId), eq(favourites.movieId, movieId)))
    .returning({ movieId: favourites.movieId })
  return removed.length > 0
}

export type FavouriteSortKey = MovieSortKey | 'added'

export function listFavourites(
  db: Db,
  userId: number,
  list: MovieList<FavouriteSortKey>,
): Promise<Page<ListedMovie>> {
  const mine = sql`(select ${favourites.movieId} as favourite_id, ${favourites.addedAt} as favourite_since from ${favourites} where ${favourites.userId} = ${userId}) as mine`
  const from = sql`${mine} join ${movies} on ${movies.id} = favourite_id`
  return listFrom(db, list, (filters) => ({
    from,
    total: hasFilters(filters)
      ? sql`select count(*) as records from ${from}${conditions(filters)}`
      : sql`select count(*) as records from ${favourites} where ${favourites.userId} = ${userId}`,
    order: favouriteOrder(list.sort),
    addedAt: sql`favourite_since`,
  }))
}

function favouriteOrder({ key, descending }: Sort<FavouriteSortKey>): SQL {
  if (key !== 'added') return movieOrder({ key, descending })
  return descending ? sql`favourite_since desc, movies.id` : sql`favourite_since, movies.id`
}
