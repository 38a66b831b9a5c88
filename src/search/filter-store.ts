import { type SQL, sql } from 'drizzle-orm'
import { favourites, movies } from '../db/schema'
import type { MovieFilters } from './query'

/** Under a name of its own, as a list of favourites reads the table too. */
export const isFavouriteOf = (userId: number) =>
  sql`exists (select from ${favourites} as own where own.user_id = ${userId} and own.movie_id = movies.id)`
const genreKeys = (genres: string[]) => sql`genre_keys(${sql.param(genres, movies.genres)}::text[])`

/** Conditions for the given filters only: an absent filter leaves no trace in the plan. */
export function conditions(filters: MovieFilters): SQL[] {
  const { title, genres, genresAny, director, cast, year, yearFrom, yearTo, runtimeFrom, runtimeTo } = filters
  const { releaseDate, releaseDateFrom, releaseDateTo, imdbId, externalId, createdBy, favourite } = filters
  return [
    title !== undefined && sql`${movies.titleWords} @@ search_query(${title})`,
    genres !== undefined && sql`${movies.genreKeys} @> ${genreKeys(genres)}`,
    genresAny !== undefined && sql`${movies.genreKeys} && ${genreKeys(genresAny)}`,
    director !== undefined && sql`${movies.directorWords} @@ search_query(${director})`,
    cast !== undefined && sql`${movies.castWords} @@ search_query(${cast})`,
    year !== undefined && sql`${movies.year} = ${year}`,
    yearFrom !== undefined && sql`${movies.year} >= ${yearFrom}`,
    yearTo !== undefined && sql`${movies.year} <= ${yearTo}`,
    runtimeFrom !== undefined && sql`${movies.runtime} >= ${runtimeFrom}`,
    runtimeTo !== undefined && sql`${movies.runtime} <= ${runtimeTo}`,
    releaseDate !== undefined && sql`${movies.release_date} = ${releaseDate}`,
    releaseDateFrom !== undefined && sql`${movies.release_date} >= ${releaseDateFrom}`,
    releaseDateTo !== undefined && sql`${movies.release_date} <= ${releaseDateTo}`,
    imdbId !== undefined && sql`${movies.imdb_id} = ${imdbId}`,
    externalId !== undefined && sql`${movies.external_id} = ${externalId}`,
    createdBy !== undefined && sql`${movies.createdBy} = ${createdBy}`,
    favourite !== undefined &&
      (favourite.isOne ? isFavouriteOf(favourite.userId) : sql`not ${isFavouriteOf(favourite.userId)}`),
  ].filter((condition) => condition !== false)
}

export const hasFilters = (filters: MovieFilters) =>
  Object.values(filters).some((value) => value !== undefined)
