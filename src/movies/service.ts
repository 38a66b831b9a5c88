import type { Author } from '../audit/model'
import type { Db } from '../db/client'
import { isDeadlock } from '../db/errors'
import { Failure, invalid } from '../errors'
import type { NewMovie } from './columns'
import { type Creator, isSameContent, type Movie, NOT_A_USER } from './model'
import { findCreator, findMovie, findMovieByExternalId, reassignMovie } from './store'
import { Taken } from './taken-store'
import { insertMovie, replaceMovie } from './write-store'

type Put = {
  readonly content: NewMovie & { readonly external_id: string }
  readonly creator: Creator
  /** The movie with that external id, as read a moment ago. */
  readonly found: Movie | undefined
  /** Throws unless the client may create or change the movie. Returns whether it named a version. */
  readonly judge: (movie: Movie | undefined) => boolean
}

/** Every failed try met another write, so more are practically never needed. */
const MAX_TRIES = 10

/** Creates or replaces the movie with an external id, even if others do so at the same moment. */
export async function putMovie(db: Db, { content, creator, found, judge }: Put): Promise<Made> {
  let movie = found
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const isGuarded = judge(movie)
    const put = await tryToPut(db, { movie, content, creator, isGuarded })
    if (put !== undefined) return put
    movie = await findMovieByExternalId(db, content.external_id)
  }
  throw new Failure('databaseUnavailable')
}

type Made = { readonly movie: Movie; readonly isNew: boolean }
type Try = Pick<Put, 'content' | 'creator'> & { movie: Movie | undefined; isGuarded: boolean }

/** Undefined when another write came in between, so that the same may succeed now. */
async function tryToPut(db: Db, { movie, content, creator, isGuarded }: Try): Promise<Made | undefined> {
  try {
    if (movie === undefined) return { movie: await insertMovie(db, content, creator), isNew: true }
    const isSame = isSameContent(movie, content)
    const put = isSame ? movie : await replaceMovie(db, movie, content, { onlyThisVersion: isGuarded })
    return put && { movie: put, isNew: false }
  } catch (error) {
    if (isDeadlock(error)) return undefined
    if (error instanceof Taken && (await isOver(db, error, movie, content))) return undefined
    throw error
  }
}

/** Whether what refused the movie is gone, or is the movie itself, which somebody else has just created. */
async function isOver(
  db: Db,
  { movieId }: Taken,
  movie: Movie | undefined,
  { external_id }: Put['content'],
): Promise<boolean> {
  if (movie === undefined && (await findMovieByExternalId(db, external_id)) !== undefined) return true
  const holder = movieId === undefined ? undefined : await findMovie(db, movieId)
  return holder === undefined || holder.external_id === external_id
}

/** Makes a movie another user's; undefined when it has changed since it was read. */
export async function giveMovie(
  db: Db,
  author: Author,
  movie: Movie,
  userId: number,
): Promise<Movie | undefined> {
  if (movie.createdBy.id === userId) return movie
  const to = await findCreator(db, userId)
  if (to === undefined) throw invalid({ id: NOT_A_USER })
  return reassignMovie(db, author, movie, to)
}
