import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { checkPreconditions, etag, isNotModified, versionMovedOn } from '../http/conditional'
import { type Guards, guardRecord, principalOf } from '../http/guards'
import { linkHeader, metadata } from '../http/list-query'
import type { Reads } from '../replicas/reads'
import { parseId } from '../rules/fields'
import { MovieListQuery, parseMovieList } from '../search/query'
import * as docs from './docs'
import { type Movie, MovieInput, MoviePatch, movieChanges, movieJson, newMovie } from './model'
import { deleteMovie, findMovie, listMovies } from './store'
import { insertMovie, updateMovie } from './write-store'

/** The film that a path names; throws 404. */
async function loadMovie(db: Db, id: string): Promise<Movie> {
  const number = parseId(id)
  const movie = number === undefined ? undefined : await findMovie(db, number)
  if (movie === undefined) throw new Failure('notFound')
  return movie
}

/** The film that a caller is about to change: there, the caller's own, and at the version that they have seen. */
function movieGuard(db: Db) {
  const changing = new WeakMap<Request, Movie>()
  return new Elysia({ name: 'movie-guard' }).macro({
    movie: (_: 'own') => ({
      async transform({ request, params }) {
        const { id = '' }: { id?: string } = params
        const movie = await loadMovie(db, id)
        if (movie.createdBy.id !== principalOf(request).id) throw new Failure('notCreator')
        checkPreconditions(request.headers, movie.version)
        guardRecord(request, movie)
        changing.set(request, movie)
      },
      resolve({ request }) {
        const movie = changing.get(request)
        if (movie === undefined) throw new Error('the route has no guard')
        return { movie }
      },
    }),
  })
}

export function movieRoutes(db: Db, { read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'movies', prefix: '/v1/movies', tags: ['movies'] })
    .use(guards)
    .use(movieGuard(db))

    .get(
      '',
      async ({ query, user, request, set }) => {
        const list = parseMovieList(query, user.id)
        const { rows, total } = await read(user.id, (db) => listMovies(db, list))
        set.headers.link = linkHeader(request, list, total)
        return { movies: rows.map(({ movie }) => movieJson(movie)), metadata: metadata(list, total) }
      },
      { access: 'movies:read', list: true, query: MovieListQuery, detail: docs.listMovies },
    )

    .post(
      '',
      async ({ body, user, set }) => {
        const movie = await insertMovie(db, newMovie(body), user)
        set.status = 201
        set.headers.location = `/v1/movies/${movie.id}`
        set.headers.etag = etag(movie.version)
        return { movie: movieJson(movie) }
      },
      { access: 'movies:write', json: true, body: MovieInput, detail: docs.createMovie },
    )

    .get(
      '/:id',
      async ({ params, user, request, set }) => {
        // Who has seen a version must not be shown an earlier one.
        const movie = request.headers.has('if-none-match')
          ? await loadMovie(db, params.id)
          : await read(user.id, (db) => loadMovie(db, params.id))
        set.headers.etag = etag(movie.version)
        if (isNotModified(request.headers, movie.version))
          return new Response(null, { status: 304, headers: { ETag: etag(movie.version) } })
        return { movie: movieJson(movie) }
      },
      { access: 'movies:read', detail: docs.showMovie },
    )

    .patch(
      '/:id',
      async ({ body, movie, request, set }) => {
        const changes = movieChanges(body)
        const isEmpty = Object.keys(changes).length === 0
        const updated = isEmpty ? movie : await updateMovie(db, movie, changes)
        if (updated === undefined) throw versionMovedOn(request.headers)
        set.headers.etag = etag(updated.version)
        return { movie: movieJson(updated) }
      },
      { access: 'movies:write', movie: 'own', json: true, body: MoviePatch, detail: docs.updateMovie },
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
        return { message: 'movie successfully deleted' }
      },
      { access: 'movies:write', movie: 'own', detail: docs.deleteMovie },
    )
}
