import { type AnyElysia, Elysia } from 'elysia'
import { json, listPage, notModified } from '../http/answers'
import { etag, isNotModified } from '../http/conditional'
import type { Guards } from '../http/guards'
import { movieJson } from '../movies/model'
import type { Reads } from '../replicas/reads'
import * as docs from './docs'
import { listGenres } from './genres-store'
import { MovieListQuery, parseMovieList } from './query'
import { listMovies } from './store'

export function searchRoutes({ read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'search', prefix: '/v1', tags: ['movies'] })
    .use(guards)

    .get(
      '/movies',
      async ({ query, user, request }) => {
        const list = parseMovieList(query, user.id)
        const { rows, total } = await read(user.id, (db) => listMovies(db, list))
        const movies = rows.map(({ movie, isFavourite }) => ({
          ...movieJson(movie),
          favourite: isFavourite ?? undefined,
        }))
        return listPage(request, { name: 'movies', rows: movies, total }, list)
      },
      { access: 'movies:read', query: MovieListQuery, detail: docs.listMovies },
    )

    .get(
      '/genres',
      async ({ user, request }) => {
        const genres = await read(user.id, (db) => listGenres(db))
        const tag = Bun.hash(JSON.stringify(genres)).toString(36)
        return isNotModified(request.headers, tag)
          ? notModified(etag(tag))
          : json({ genres }, 200, { ETag: etag(tag) })
      },
      { access: 'movies:read', detail: docs.listGenres },
    )
}
