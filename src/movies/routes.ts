import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure, invalid } from '../errors'
import { json, notModified } from '../http/answers'
import { checkIsNew, checkPreconditions, etag, isNotModified, versionMovedOn } from '../http/conditional'
import { contextOf } from '../http/context'
import { type Guards, RECORD, type RecordGuard, type RouteLine } from '../http/guards'
import { lastPartOf } from '../http/request-path'
import type { Principal } from '../permissions'
import type { Reads } from '../replicas/reads'
import { parseId } from '../rules/fields'
import * as docs from './docs'
import {
  externalIdProblem,
  type Movie,
  MovieInput,
  MoviePatch,
  movieChanges,
  movieJson,
  newMovie,
} from './model'
import { putMovie } from './service'
import { deleteMovie, findMovie, findMovieByExternalId } from './store'
import { insertMovie, updateMovie } from './write-store'

declare module '../http/context' {
  interface RequestContext {
    /** The movie that the request changes. */
    movie?: Movie
  }
}

/** Throws 404. */
async function loadMovie(db: Db, id: string): Promise<Movie> {
  const number = parseId(id)
  const movie = number === undefined ? undefined : await findMovie(db, number)
  if (movie === undefined) throw new Failure('notFound')
  return movie
}

const externalIdOf = (request: Request) => lastPartOf(contextOf(request).path)

async function loadByExternalId(db: Db, request: Request): Promise<Movie> {
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
function checkOwnOrNew(request: Request, movie: Movie | undefined, user: Principal): boolean {
  const isGuarded = checkOwn(request, movie, user)
  checkIsNew(request.headers, movie?.version)
  return isGuarded
}

/**
 * `movie: 'own'` on a route's line: the movie exists, is the caller's own, and has the version the caller
 * saw. `movieByExternalId: 'own'`: the same, unless no movie has the path's external id.
 */
function ownMovies(db: Db) {
  const own: RecordGuard = async (request, { id = '' }, { user }) => {
    const movie = await loadMovie(db, id)
    checkOwn(request, movie, user)
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
    movie: (_: 'own') => ({
      introspect(line: RouteLine) {
        line[RECORD] = own
        line.detail = { ...docs.ownMovie, ...line.detail }
      },
      resolve({ request }) {
        const { movie } = contextOf(request)
        if (movie === undefined) throw new Error('the route has no access')
        return { movie }
      },
    }),
  })
}

const movieAnswer = (movie: Movie, status = 200, headers: Record<string, string> = {}) =>
  json({ movie: movieJson(movie) }, status, { ETag: etag(movie.version), ...headers })

const created = (movie: Movie) => movieAnswer(movie, 201, { Location: `/v1/movies/${movie.id}` })

type MovieReads = Pick<Reads, 'read' | 'readCurrent'>

export function movieRoutes(db: Db, { read, readCurrent }: MovieReads, guards: Guards): AnyElysia {
  async function show(request: Request, user: Principal, load: (db: Db) => Promise<Movie>) {
    // A client that has seen a version must not get an older one.
    const movie = await (request.headers.has('if-none-match') ? readCurrent(load) : read(user.id, load))
    if (isNotModified(request.headers, movie.version)) return notModified(etag(movie.version))
    return movieAnswer(movie)
  }

  return new Elysia({ name: 'movies', prefix: '/v1/movies', tags: ['movies'] })
    .use(guards)
    .use(ownMovies(db))

    .post(
      '',
      async ({ body, user }) => {
        const movie = await insertMovie(db, newMovie(body), user)
        return created(movie)
      },
      { access: 'movies:write', body: MovieInput, detail: docs.createMovie },
    )

    .get('/:id', ({ params, user, request }) => show(request, user, (db) => loadMovie(db, params.id)), {
      access: 'movies:read',
      detail: docs.showMovie,
    })

    .get(
      '/external/:external_id',
      ({ user, request }) => show(request, user, (db) => loadByExternalId(db, request)),
      { access: 'movies:read', detail: docs.showMovieByExternalId },
    )

    .put(
      '/external/:external_id',
      async ({ body, user, found, externalId, request }) => {
        const content = { ...newMovie(body), external_id: externalId }
        const judge = (movie: Movie | undefined) => checkOwnOrNew(request, movie, user)
        const { movie, isNew } = await putMovie(db, { content, creator: user, found, judge })
        return isNew ? created(movie) : movieAnswer(movie)
      },
      { access: 'movies:write', movieByExternalId: 'own', body: MovieInput, detail: docs.putMovie },
    )

    .patch(
      '/:id',
      async ({ body, movie, request }) => {
        const changes = movieChanges(body)
        const isEmpty = Object.keys(changes).length === 0
        const updated = isEmpty ? movie : await updateMovie(db, movie, changes)
        if (updated === undefined) throw versionMovedOn(request.headers)
        return movieAnswer(updated)
      },
      { access: 'movies:write', movie: 'own', body: MoviePatch, detail: docs.updateMovie },
    )

    .delete(
      '/:id',
      async ({ movie: { id, version, createdBy }, request }) => {
        const isGuarded = checkPreconditions(request.headers, version)
        const expected = { creatorId: createdBy.id, version: isGuarded ? version : undefined }
        if (!(await deleteMovie(db, id, expected))) {
          if (!isGuarded && (await findMovie(db, id)) === undefined) throw new Failure('notFound')
          throw versionMovedOn(request.headers)
        }
        return json({ message: 'movie successfully deleted' })
      },
      { access: 'movies:write', movie: 'own', detail: docs.deleteMovie },
    )
}
