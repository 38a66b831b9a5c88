import { Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure, invalid } from '../errors'
import { checkIsNew, checkPreconditions } from '../http/conditional'
import { contextOf } from '../http/context'
import { RECORD, type RecordGuard, type RouteLine } from '../http/guards'
import { lastPartOf } from '../http/request-path'
import { mayDo, type Principal } from '../permissions'
import { parseId } from '../rules/fields'
import * as docs from './docs'
import { externalIdProblem, type Movie } from './model'
import { findMovie, findMovieByExternalId } from './store'

declare module '../http/context' {
  interface RequestContext {
    /** The movie that the request changes. */
    movie?: Movie
  }
}

/** Throws 404. */
export async function loadMovie(db: Db, id: string): Promise<Movie> {
  const number = parseId(id)
  const movie = number === undefined ? undefined : await findMovie(db, number)
  if (movie === undefined) throw new Failure('notFound')
  return movie
}

const externalIdOf = (request: Request) => lastPartOf(contextOf(request).path)

/** Throws 404. */
export async function loadByExternalId(db: Db, request: Request): Promise<Movie> {
  const id = externalIdOf(request)
  // An id that breaks the rule belongs to no movie, and PostgreSQL can't read all of them.
  const isPossible = id !== undefined && externalIdProblem(id) === undefined
  const movie = isPossible ? await findMovieByExternalId(db, id) : undefined
  if (movie === undefined) throw new Failure('notFound')
  return movie
}

/**
 * Throws unless the movie is the caller's own, at the version the caller saw. Returns whether a version was
 * named.
 */
function checkOwn({ headers }: Request, movie: Movie | undefined, user: Principal): boolean {
  if (movie !== undefined && movie.createdBy.id !== user.id) throw new Failure('notCreator')
  return checkPreconditions(headers, movie?.version)
}

/** The same for a movie that may not exist yet. */
export function checkOwnOrNew(request: Request, movie: Movie | undefined, user: Principal): boolean {
  const isGuarded = checkOwn(request, movie, user)
  checkIsNew(request.headers, movie?.version)
  return isGuarded
}

/**
 * `movie: 'own'` on a route's line: the movie exists, is the caller's own, and has the version the caller
 * saw. `movie: 'any'`: the same for everyone's movies, for callers who may write. `movieByExternalId: 'own'`:
 * the same as `own`, unless no movie has the path's external id.
 */
export function ownMovies(db: Db) {
  const own: RecordGuard = async (request, { id = '' }, { user }) => {
    const movie = await loadMovie(db, id)
    checkOwn(request, movie, user)
    contextOf(request).movie = movie
    return undefined
  }
  const any: RecordGuard = async (request, { id = '' }, { user }) => {
    if (!mayDo(user, 'movies:write')) throw new Failure('notPermitted')
    const movie = await loadMovie(db, id)
    checkPreconditions(request.headers, movie.version)
    contextOf(request).movie = movie
    return undefined
  }
  const ownOrNew: RecordGuard = async (request, _, { user }) => {
    const id = externalIdOf(request)
    if (id === undefined) throw invalid({ external_id: 'must be UTF-8 in percent-encoding' })
    const isPossible = externalIdProblem(id) === undefined
    const movie = isPossible ? await findMovieByExternalId(db, id) : undefined
    checkOwnOrNew(request, movie, user)
    contextOf(request).movie = movie
    return { external_id: id }
  }
  return new Elysia({ name: 'own-movies' }).macro({
    movieByExternalId: (_: 'own') => ({
      introspect(line: RouteLine) {
        line[RECORD] = ownOrNew
        line.detail = { ...docs.ownMovie, ...line.detail }
      },
      resolve: ({ request }) => ({
        found: contextOf(request).movie,
        externalId: externalIdOf(request) ?? '',
      }),
    }),
    movie: (whose: 'own' | 'any') => ({
      introspect(line: RouteLine) {
        line[RECORD] = whose === 'own' ? own : any
        line.detail = { ...(whose === 'own' ? docs.ownMovie : docs.anyMovie), ...line.detail }
      },
      resolve({ request }) {
        const { movie } = contextOf(request)
        if (movie === undefined) throw new Error('the route has no access')
        return { movie }
      },
    }),
  })
}
