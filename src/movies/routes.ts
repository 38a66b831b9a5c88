import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { json, notModified } from '../http/answers'
import { checkPreconditions, etag, isNotModified, versionMovedOn } from '../http/conditional'
import { contextOf } from '../http/context'
import { type Guards, RECORD, type RecordGuard, type RouteLine } from '../http/guards'
import type { Reads } from '../replicas/reads'
import { parseId } from '../rules/fields'
import * as docs from './docs'
import { type Movie, MovieInput, MoviePatch, movieChanges, movieJson, newMovie } from './model'
import { deleteMovie, findMovie } from './store'
import { insertMovie, updateMovie } from './write-store'

declare module '../http/context' {
  interface RequestContext {
    /** The movie that a request is about to change. */
    movie?: Movie
  }
}

/** The movie that a path names; throws 404. */
async function loadMovie(db: Db, id: string): Promise<Movie> {
  const number = parseId(id)
  const movie = number === undefined ? undefined : await findMovie(db, number)
  if (movie === undefined) throw new Failure('notFound')
  return movie
}

/** `movie: 'own'` on a route's line: the movie is there, the caller's own, and at the version that the caller has seen. */
function ownMovies(db: Db) {
  const own: RecordGuard = async (request, { id = '' }, { user }) => {
    const movie = await loadMovie(db, id)
    if (movie.createdBy.id !== user.id) throw new Failure('notCreator')
    checkPreconditions(request.headers, movie.version)
    contextOf(request).movie = movie
  }
  return new Elysia({ name: 'own-movies' }).macro({
    movie: (_: 'own') => ({
      introspect(line: RouteLine) {
        line[RECORD] = own
        line.detail = { ...line.detail, ...docs.ownMovie }
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

type MovieReads = Pick<Reads, 'read' | 'readCurrent'>

export function movieRoutes(db: Db, { read, readCurrent }: MovieReads, guards: Guards): AnyElysia {
  return new Elysia({ name: 'movies', prefix: '/v1/movies', tags: ['movies'] })
    .use(guards)
    .use(ownMovies(db))

    .post(
      '',
      async ({ body, user }) => {
        const movie = await insertMovie(db, newMovie(body), user)
        return movieAnswer(movie, 201, { Location: `/v1/movies/${movie.id}` })
      },
      { access: 'movies:write', body: MovieInput, detail: docs.createMovie },
    )

    .get(
      '/:id',
      async ({ params, user, request }) => {
        // Who has seen a version must not be shown an earlier one.
        const movie = request.headers.has('if-none-match')
          ? await readCurrent((db) => loadMovie(db, params.id))
          : await read(user.id, (db) => loadMovie(db, params.id))
        if (isNotModified(request.headers, movie.version)) return notModified(etag(movie.version))
        return movieAnswer(movie)
      },
      { access: 'movies:read', detail: docs.showMovie },
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
