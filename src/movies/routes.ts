import { type AnyElysia, Elysia } from 'elysia'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { json, notModified } from '../http/answers'
import { checkPreconditions, etag, isNotModified, versionMovedOn } from '../http/conditional'
import { authorOf } from '../http/context'
import type { Guards } from '../http/guards'
import type { Caller } from '../permissions'
import type { Reads } from '../replicas/reads'
import * as docs from './docs'
import { checkOwnOrNew, loadByExternalId, loadMovie, ownMovies } from './guards'
import { type Movie, MovieInput, MoviePatch, movieChanges, movieJson, NewCreator, newMovie } from './model'
import { giveMovie, putMovie } from './service'
import { deleteMovie, findMovie } from './store'
import { insertMovie, updateMovie } from './write-store'

const movieAnswer = (movie: Movie, status = 200, headers: Record<string, string> = {}) =>
  json({ movie: movieJson(movie) }, status, { ETag: etag(movie.version), ...headers })

const created = (movie: Movie) => movieAnswer(movie, 201, { Location: `/v1/movies/${movie.id}` })

type MovieReads = Pick<Reads, 'read' | 'readCurrent'>

async function showMovie(
  { read, readCurrent }: MovieReads,
  request: Request,
  caller: Caller,
  load: (db: Db) => Promise<Movie>,
) {
  // A client that has seen a version must not get an older one.
  const movie = await (request.headers.has('if-none-match') ? readCurrent(load) : read(caller.user?.id, load))
  if (isNotModified(request.headers, movie.version)) return notModified(etag(movie.version))
  return movieAnswer(movie)
}

export function movieRoutes(db: Db, reads: MovieReads, guards: Guards): AnyElysia {
  return new Elysia({ name: 'movies', prefix: '/v1/movies', tags: ['movies'] })
    .use(guards)
    .use(ownMovies(db))
    .use(externalIdRoutes(db, reads, guards))

    .post(
      '',
      async ({ body, user }) => {
        const movie = await insertMovie(db, newMovie(body), user)
        return created(movie)
      },
      { access: 'movies:write', body: MovieInput, detail: docs.createMovie },
    )

    .get(
      '/:id',
      ({ params, caller, request }) => showMovie(reads, request, caller, (db) => loadMovie(db, params.id)),
      { public: 'movies:read', detail: docs.showMovie },
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
        if ((await deleteMovie(db, authorOf(request), id, expected)) === undefined) {
          if (!isGuarded && (await findMovie(db, id)) === undefined) throw new Failure('notFound')
          throw versionMovedOn(request.headers)
        }
        return json({ message: 'movie successfully deleted' })
      },
      { access: 'movies:write', movie: 'own', detail: docs.deleteMovie },
    )

    .put(
      '/:id/creator',
      async ({ body, movie, request }) => {
        const given = await giveMovie(db, authorOf(request), movie, body.id)
        if (given === undefined) throw versionMovedOn(request.headers)
        return movieAnswer(given)
      },
      { access: 'admin', movie: 'any', body: NewCreator, detail: docs.reassignMovie },
    )
}

function externalIdRoutes(db: Db, reads: MovieReads, guards: Guards) {
  return new Elysia({ name: 'movies-by-external-id', prefix: '/external', tags: ['movies'] })
    .use(guards)
    .use(ownMovies(db))

    .get(
      '/:external_id',
      ({ caller, request }) => showMovie(reads, request, caller, (db) => loadByExternalId(db, request)),
      { public: 'movies:read', detail: docs.showMovieByExternalId },
    )

    .put(
      '/:external_id',
      async ({ body, user, found, externalId, request }) => {
        const content = { ...newMovie(body), external_id: externalId }
        const judge = (movie: Movie | undefined) => checkOwnOrNew(request, movie, user)
        const { movie, isNew } = await putMovie(db, { content, creator: user, found, judge })
        return isNew ? created(movie) : movieAnswer(movie)
      },
      { access: 'movies:write', movieByExternalId: 'own', body: MovieInput, detail: docs.putMovie },
    )
}
