import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { constraintFailure } from '../db/errors'
import { favourites, movies } from '../db/schema'
import { Failure } from '../errors'
import type { MoviePage } from '../search/page-store'
import type { MovieList, MovieSortKey } from '../search/query'
import { listPage, movieSortKeys } from '../search/store'

const refusals = {
  favourites_movie_id_movies_id_fk: () => new Failure('notFound'),
  // The account was removed while its token was still cached.
  favourites_user_id_users_id_fk: () => new Failure('invalidAuthenticationToken'),
}

/** A movie that is already a favourite keeps its place. Throws a 404 when there is no such movie. */
export async function addFavourite(db: Db, userId: number, movieId: number): Promise<void> {
  try {
    await db.insert(favourites).values({ userId, movieId }).onConflictDoNothing()
  } catch (error) {
    throw constraintFailure(error, 'favourites', refusals)
  }
}

/** False when it wasn't a favourite. */
export async function removeFavourite(db: Db, userId: number, movieId: number): Promise<boolean> {
  const removed = await db
    .delete(favourites)
    .where(and(eq(favourites.userId, userId), eq(favourites.movieId, movieId)))
    .returning({ movieId: favourites.movieId })
  return removed.length > 0
}

export type FavouriteSortKey = MovieSortKey | 'added'

const sortKeys = { ...movieSortKeys, added: sql`${favourites.addedAt}` }

const owner = sql.placeholder('owner')
const favouritesOf = (userId: number) => ({
  name: 'favourites',
  from: sql`${favourites} join ${movies} on ${movies.id} = ${favourites.movieId}`,
  condition: sql`${favourites.userId} = ${owner}`,
  total: sql`select count(*) from ${favourites} where ${favourites.userId} = ${owner}`,
  isWhole: false,
  sortKeys,
  addedAt: sql`${favourites.addedAt}`,
  values: { owner: userId },
})

export type FavouritesQuestion = { userId: number; list: MovieList<FavouriteSortKey> }
export const listFavourites = (db: Db, { userId, list }: FavouritesQuestion): Promise<MoviePage> =>
  listPage(db, favouritesOf(userId), list)
