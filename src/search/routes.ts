import { type AnyElysia, Elysia } from 'elysia'
import { json, listPage, notModified } from '../http/answers'
import { etag, isNotModified } from '../http/conditional'
import type { Guards } from '../http/guards'
import type { Reads } from '../replicas/reads'
import * as docs from './docs'
import { listGenres } from './genres-store'
import { isPersonal, MovieListQuery, parseMovieList } from './query'
import { listMovies } from './store'

export function searchRoutes({ read }: Pick<Reads, 'read'>, guards: Guards): AnyElysia {
  return new Elysia({ name: 'search', prefix: '/v1', tags: ['movies'] })
    .use(guards)

    .get(
      '/movies',
      async ({ query, caller, request }) => {
        const me = caller.user?.id
        const list = parseMovieList(query, me)
        const { rows, total } = await read(me, (db) => listMovies(db, list))
        return listPage(request, { name: 'movies', rows, total }, list)
      },
      { public: 'movies:read', personal: isPersonal, query: MovieListQuery, detail: docs.listMovies },
    )

    .get(
      '/genres',
      async ({ caller, request }) => {
        const genres = await read(caller.user?.id, (db) => listGenres(db))
        const tag = Bun.hash(JSON.stringify(genres)).toString(36)
        return isNotModified(request.headers, tag)
          ? notModified(etag(tag))
          : json({ genres }, 200, { ETag: etag(tag) })
      },
      { public: 'movies:read', detail: docs.listGenres },
    )
}
